package org.peerlane.dmabuf.api;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Makes fences. What a bundle has made here is signaled with an error when the bundle leaves.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface Fences {
    /** {@return the first of {@code count} timelines that nobody else has (FE-1)} */
    long allocateContexts(int count);

    /**
     * Makes a fence that is not on a timeline yet: a place to keep, taken before the point from
     * which nothing may fail (FE-64).
     */
    Fence allocate(FenceOperations operations);

    /**
     * Puts an {@linkplain #allocate allocated} fence on a timeline.
     *
     * @param seqno later than all before it on the timeline (reported otherwise); 32 bits, which
     *     wrap around
     * @throws IllegalStateException it is on one
     */
    void init(Fence fence, long context, long seqno);

    /** As {@link #init}, with 64 bits of seqno. */
    void init64(Fence fence, long context, long seqno);

    /** {@link #allocate} and {@link #init} in one. */
    default Fence create(FenceOperations operations, long context, long seqno) {
        Fence fence = allocate(operations);
        init(fence, context, seqno);
        return fence;
    }

    /** {@return a fence that has always been signaled (FE-14)} One reference, the caller's. */
    Fence stub();

    /**
     * {@return whether {@code a} is later than {@code b} on their timeline; false, and reported, if
     * they are on two (FE-3)}
     */
    boolean isLater(Fence a, Fence b);

    /**
     * Makes a fence of several (FE-20).
     *
     * @param members none of them a container; their references go to the array
     * @param any whether the first to signal is enough
     */
    Fence array(List<Fence> members, long context, long seqno, boolean any);

    /**
     * Makes a point of a timeline of 64 bits: it counts as signaled once {@code fence} and all
     * points before it are (FE-21).
     *
     * @param previous the point before, or null; its reference goes to the chain
     * @param fence its reference goes to the chain
     */
    Fence chain(@Nullable Fence previous, Fence fence, long seqno);

    /**
     * {@return the first point of a chain at or after {@code seqno}, with one reference; null: it
     * has signaled, with all before it}
     *
     * @param head the last point
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the chain does not reach that
     *     far yet (FE-21)
     */
    @Nullable Fence findSeqno(Fence head, long seqno);

    /** Shows the leaves of containers in containers, or the fence itself (FE-22). */
    void unwrap(Fence fence, Consumer<Fence> visitor);

    /**
     * {@return one fence that signals when all have: flat, the latest of each timeline, signaled
     * ones left out, with the latest time if all were; with one reference (FE-22)}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM}
     */
    Fence merge(List<Fence> fences);

    /**
     * Waits for the first of several (FE-10).
     *
     * @return the index of one that has signaled, or -1: none in time
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no fences, or a negative limit;
     *     {@code ERESTARTSYS} interrupted; {@code ENOMEM}
     */
    int waitAny(List<Fence> fences, boolean interruptible, long timeoutNanos);

    /**
     * This thread is on the way to signal fences: locks that are held around waits for fences, and
     * allocations that may reclaim, are reported until the matching {@link #endSignalling} (FE-46,
     * CK-32, CK-33). May be nested.
     *
     * @return for {@link #endSignalling}
     */
    boolean beginSignalling();

    /** Ends what {@link #beginSignalling} began. */
    void endSignalling(boolean cookie);

    /**
     * This thread is about to allocate in a way that may reclaim memory, hence wait for fences
     * (FE-44). Reported on the way to signal, and in atomic context.
     *
     * @param what for the report
     */
    void mightAllocate(String what);

    /** This thread is about to sleep. Reported in atomic context (CK-40). */
    void mightSleep(String what);

    // What only the issuer knows, for the search for threads that wait for each other. While checks
    // are off these do nothing.

    /**
     * Fences of this timeline signal only after a transaction has taken a reservation: as those of
     * work that has to be restored first (DY-50). Who waits for one with that reservation held,
     * however indirectly, is reported: as CK-18 if it is held without a transaction.
     */
    void completionNeeds(long context, Reservation reservation);

    /**
     * Only threads of a pool of this bundle's signal this timeline. Reported: all of them wait for
     * such fences (CK-34); somebody waits for one and no thread is in the pool (CK-68).
     *
     * @param pool any name
     */
    void signaledBy(long context, String pool);

    /** This thread works for a pool from now on, until it ends or {@link #leavePool}. */
    void joinPool(String pool);

    /** This thread works for a pool no more. */
    void leavePool(String pool);
}
