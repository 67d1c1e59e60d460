package org.peerlane.dmabuf.core;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The time between two invalidations of a buffer. Mappings refer to the epoch in which they were
 * made, so an invalidation makes any number of them stale in one step, and whether they are still
 * busy is found out when somebody asks (section 13.1).
 *
 * <p><b>Life.</b> Current; {@link #end ended} when an invalidation begins; {@link #seal sealed}
 * with the fences that were there when all importers had been told; idle once those have signaled.
 * It holds references to them until its last mapping has gone.
 *
 * <p><b>Locks.</b> Changes under the reservation; the count under the buffer's list lock.
 * <b>Threads.</b> {@link #state} any.
 */
final class Epoch {
    final long generation;
    private final Reservation reservation;
    private volatile boolean ended;

    /** When it ended. Written before {@link #ended}. */
    private long endedAt;

    private volatile boolean idle;

    /** Null before the seal. */
    private volatile @Nullable List<Fence> fences;

    /** Mappings that an invalidation makes stale. Guarded by the list lock. */
    private int mappings;

    private boolean unlisted; // no list could be had: the reservation is asked instead

    Epoch(long generation, Reservation reservation) {
        this.generation = generation;
        this.reservation = reservation;
    }

    /** [held: list lock] */
    void join() {
        mappings++;
    }

    /**
     * [held: list lock] {@return fences that are no longer of interest, to be put by the caller}
     */
    List<Fence> leave() {
        mappings--;
        List<Fence> seen = fences;
        return mappings == 0 && seen != null ? seen : List.of();
    }

    /** [held: list lock] */
    boolean isEmpty() {
        return mappings == 0;
    }

    /** [held] No mapping joins any more. */
    void end(long now) {
        endedAt = now;
        ended = true;
    }

    /**
     * [held] All importers have been told; what they left in the reservation is what counts.
     *
     * @param empty whether nobody will ask
     * @return how many fences keep it busy; -1 if nobody can tell
     */
    int seal(boolean empty) {
        if (empty) {
            idle = true;
            fences = List.of();
            return 0;
        }
        try {
            List<Fence> seen = reservation.getFences(FenceUsage.BOOKKEEP);
            fences = seen;
            return seen.size();
        } catch (ErrnoException e) { // no memory for the list
            unlisted = true;
            fences = List.of();
            return -1;
        }
    }

    boolean hasEnded() {
        return ended;
    }

    /** {@return when it ended; 0: it has not} */
    long endedAt() {
        return ended ? endedAt : 0;
    }

    /** {@return where a mapping of this epoch is that has not been taken back} */
    MappingState state() {
        return state(true);
    }

    /** {@return the same by signals that can be seen; no issuer is asked} */
    MappingState seen() {
        return state(false);
    }

    /**
     * {@return whether an unsignaled fence of an owner's stands for work that had begun before}
     *
     * @param primitives know whose a fence is
     */
    boolean isBusyWith(String owner, Primitives primitives) {
        List<Fence> seen = fences;
        if (seen == null || unlisted) { // importers are still being told
            boolean[] found = new boolean[1];
            reservation.forEachFence(
                    FenceUsage.BOOKKEEP,
                    (fence, _) -> found[0] |= primitives.ownerOf(fence).equals(owner));
            return found[0];
        }
        for (Fence fence : seen) {
            Fence held = fence.getUnlessZero();
            if (held != null) {
                boolean its = held.timestamp() == 0 && primitives.ownerOf(held).equals(owner);
                held.put();
                if (its) {
                    return true;
                }
            }
        }
        return false;
    }

    /** {@return whether an owner has an unsignaled fence in the reservation now} */
    boolean isBusyNow(String owner, Primitives primitives) {
        boolean[] found = new boolean[1];
        reservation.forEachFence(
                FenceUsage.BOOKKEEP,
                (fence, _) ->
                        found[0] |=
                                fence.timestamp() == 0 && primitives.ownerOf(fence).equals(owner));
        return found[0];
    }

    private MappingState state(boolean asking) {
        if (!ended) {
            return MappingState.VALID;
        }
        if (idle) {
            return MappingState.STALE_IDLE;
        }
        List<Fence> seen = fences;
        if (seen == null || !allSignaled(seen, asking)) {
            return MappingState.STALE_BUSY;
        }
        idle = true;
        return MappingState.STALE_IDLE;
    }

    private boolean allSignaled(List<Fence> seen, boolean asking) {
        if (unlisted) {
            return reservation.testSignaled(FenceUsage.BOOKKEEP);
        }
        for (Fence fence : seen) {
            Fence held = fence.getUnlessZero(); // null: its mappings have just gone
            if (held != null) {
                boolean signaled = asking ? held.isSignaled() : held.timestamp() != 0;
                held.put();
                if (!signaled) {
                    return false;
                }
            }
        }
        return true;
    }
}
