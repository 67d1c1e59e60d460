package org.peerlane.dmabuf.core.fence;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;

/**
 * The fences of one owner that somebody else can see and that still need the owner: in slots of
 * arrays, which never move.
 *
 * <p><b>Protocol.</b> A slot belongs to whoever puts a fence into it, null to fence, by compare and
 * set; it is freed by compare and set from that very fence, so freeing twice does nothing. A full
 * array gets a bigger one in front of it. Arrays are kept: together they are at most twice what was
 * alive at once.
 *
 * <p><b>Threads.</b> Any, without a lock. Adding begins where a slot was freed last, so short lives
 * stay in one cache line; threads begin apart.
 */
final class LiveFences {
    private static final int STRIPES = 4; // a power of two
    private static final int FIRST = 16;
    private static final int PROBES = 8;

    /** Some slots, and the array that was full before this one was made. */
    static final class Chunk {
        final AtomicReferenceArray<@Nullable CoreFence> slots;
        final @Nullable Chunk older;

        /** Where to look first; a hint, so races on it are harmless. */
        int hint;

        Chunk(int size, @Nullable Chunk older) {
            slots = new AtomicReferenceArray<>(size);
            this.older = older;
        }

        /** Frees the slot if the fence is in it. */
        void remove(int index, CoreFence fence) {
            if (slots.compareAndSet(index, fence, null)) {
                hint = index;
            }
        }
    }

    private final AtomicReferenceArray<Chunk> newest = new AtomicReferenceArray<>(STRIPES);

    private final Checkpoint beforeTake;

    LiveFences(Execution execution) {
        beforeTake = execution.checkpoint("dmabuf.fence.list.before-take");
        for (int i = 0; i < STRIPES; i++) {
            newest.set(i, new Chunk(FIRST, null));
        }
    }

    void add(CoreFence fence) {
        int stripe = (int) Thread.currentThread().threadId() & (STRIPES - 1);
        while (true) {
            Chunk chunk = newest.get(stripe);
            if (addTo(chunk, fence, PROBES) || isSparse(chunk) && addTo(chunk, fence, 0)) {
                return;
            }
            newest.compareAndSet(stripe, chunk, new Chunk(2 * chunk.slots.length(), chunk));
        }
    }

    private boolean addTo(Chunk chunk, CoreFence fence, int probes) {
        int mask = chunk.slots.length() - 1;
        int from = chunk.hint;
        int count = probes == 0 ? mask + 1 : probes;
        for (int i = 0; i < count; i++) {
            int index = (from + i) & mask;
            if (chunk.slots.getPlain(index) == null) {
                fence.place(chunk, index);
                beforeTake.reached();
                if (chunk.slots.compareAndSet(index, null, fence)) {
                    chunk.hint = (index + 1) & mask;
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isSparse(Chunk chunk) {
        int used = 0;
        for (int i = 0; i < chunk.slots.length(); i++) {
            if (chunk.slots.getPlain(i) != null) {
                used++;
            }
        }
        return used < chunk.slots.length() / 4 * 3;
    }

    /**
     * {@return what is in them now, in no order; unlike a snapshot, what comes meanwhile may miss}
     */
    List<CoreFence> list() {
        List<CoreFence> found = new ArrayList<>();
        for (int stripe = 0; stripe < STRIPES; stripe++) {
            for (Chunk chunk = newest.get(stripe); chunk != null; chunk = chunk.older) {
                for (int i = 0; i < chunk.slots.length(); i++) {
                    CoreFence fence = chunk.slots.get(i);
                    if (fence != null) {
                        found.add(fence);
                    }
                }
            }
        }
        return found;
    }
}
