package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.dmabuf.core.check.HeldLock;
import org.peerlane.dmabuf.core.check.Need;
import org.peerlane.dmabuf.core.check.Unmaps;

/** What a revoke of a buffer waits for. <b>Life.</b> One wait. <b>Threads.</b> Any. */
final class BufferUnmaps implements Unmaps {
    private final Buffer buffer;

    /** Those there were when the wait began; nothing is mapped any more from then on. */
    private final List<BufferMapping> mappings;

    BufferUnmaps(Buffer buffer) {
        this.buffer = buffer;
        mappings = buffer.mapped().all();
    }

    @Override
    public String describe() {
        return "the unmaps of " + buffer;
    }

    @Override
    public String owner() {
        return buffer.owner().owner();
    }

    @Override
    public boolean isOver() {
        return mappings.stream().allMatch(BufferMapping::isUnmapped);
    }

    @Override
    public List<Need> needs() {
        List<Need> needs = new ArrayList<>();
        if (buffer.reservation() instanceof HeldLock lock) {
            needs.add(new Need.Lock(lock, false));
        }
        for (BufferMapping mapping : mappings) {
            Thread mapper = mapping.isUnmapped() ? null : mapping.mapper();
            if (mapper != null) {
                needs.add(new Need.Likely(mapper, mapping.forPeople()));
            }
        }
        return needs;
    }
}
