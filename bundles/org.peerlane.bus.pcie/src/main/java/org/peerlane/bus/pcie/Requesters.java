package org.peerlane.bus.pcie;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Who sends with which requester id, segment by segment.
 *
 * <p><b>Cost.</b> One table of 65536 per segment that has a device; a look-up is two loads for the
 * first segment.
 */
final class Requesters {
    private final AtomicReferenceArray<@Nullable Endpoint> first =
            new AtomicReferenceArray<>(1 << 16);
    private final ConcurrentMap<Integer, AtomicReferenceArray<@Nullable Endpoint>> others =
            new ConcurrentHashMap<>();

    /** {@return who has this id, or null} */
    @Nullable Endpoint find(int requester) {
        int segment = requester >>> 16;
        AtomicReferenceArray<@Nullable Endpoint> table = segment == 0 ? first : others.get(segment);
        return table == null ? null : table.get(requester & 0xFFFF);
    }

    void put(int requester, Endpoint endpoint) {
        table(requester >>> 16).set(requester & 0xFFFF, endpoint);
    }

    /** The same, unless somebody has the id. */
    void putIfFree(int requester, Endpoint endpoint) {
        table(requester >>> 16).compareAndSet(requester & 0xFFFF, null, endpoint);
    }

    /** Takes an id back, unless somebody else has it by now. */
    void remove(int requester, Endpoint endpoint) {
        table(requester >>> 16).compareAndSet(requester & 0xFFFF, endpoint, null);
    }

    private AtomicReferenceArray<@Nullable Endpoint> table(int segment) {
        return segment == 0
                ? first
                : others.computeIfAbsent(segment, s -> new AtomicReferenceArray<>(1 << 16));
    }
}
