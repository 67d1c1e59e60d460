package org.peerlane.dmabuf.core.shadow;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.RevokeState;

/** A mapping in whatever state the test wants. */
final class FakeMapping implements Watched {
    final long id;
    final long key;
    final long[] runs;
    final boolean readOnly;
    final AtomicReference<RevokeState> revoke = new AtomicReference<>(RevokeState.OK);
    private final @Nullable Entry entry;
    volatile MappingState state = MappingState.VALID;
    volatile boolean mayNotBegin;

    /** Adds it. */
    FakeMapping(
            ShadowIndex index,
            long id,
            int requester,
            int attributes,
            boolean readOnly,
            long... runs) {
        this.id = id;
        this.runs = runs;
        this.readOnly = readOnly;
        key = Spaces.key(requester, attributes);
        entry = index.add(this, requester, attributes, runs, readOnly);
    }

    void takeBack(ShadowIndex index) {
        state = MappingState.UNMAPPED;
        index.remove(Objects.requireNonNull(entry), facts());
    }

    long again() {
        return Objects.requireNonNull(entry).again();
    }

    boolean has(long address) {
        for (int i = 0; i < runs.length; i += 2) {
            if (Long.compareUnsigned(runs[i], address) <= 0
                    && Long.compareUnsigned(address, runs[i + 1]) <= 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public MappingState seen() {
        return state;
    }

    @Override
    public boolean begins() {
        return mayNotBegin;
    }

    @Override
    public Facts facts() {
        boolean gone = state == MappingState.UNMAPPED;
        return new Facts(
                id,
                7,
                3,
                "system",
                5,
                "nvme-driver",
                "nvme0",
                100,
                gone ? 200 : 0,
                gone && revoke.get() != RevokeState.OK,
                revoke);
    }
}
