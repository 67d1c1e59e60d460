package org.peerlane.dmabuf.api;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.Errno;

/**
 * One piece of a device's work, which ends once. Kernel counterpart: {@code struct dma_fence}.
 *
 * <p><b>Life.</b> {@code NEW} from {@link Fences#create}, with one reference; {@code PUBLISHED}
 * once others can see it, in a reservation or a sync file; {@code SIGNALED} within bounded time,
 * whatever happens (FE-40); freed at the last {@link #put}. Nothing between publication and signal
 * may allocate or take a lock under which others wait for fences (FE-43, FE-44, FE-61).
 *
 * <p><b>Order.</b> The fences of one {@link #context} signal in the order of their {@link #seqno}.
 *
 * <p><b>Threads.</b> Any. <b>Units.</b> Nanoseconds of the execution's clock.
 */
@ProviderType
public interface Fence {
    /** {@return the timeline it is on} */
    long context();

    /** {@return its place on the timeline} */
    long seqno();

    /** {@return whether seqno is compared as 64 bits; else 32 that wrap around (FE-2)} */
    boolean isSeqno64();

    /** {@return the issuer's name; {@code detached-driver} once it may have left (FE-12)} */
    String driverName();

    /** {@return the timeline's name; {@code signaled-timeline} once its issuer may have left} */
    String timelineName();

    /** {@return whether it is an array or a chain of others} */
    boolean isContainer();

    /** {@return this, with one more holder} */
    Fence get();

    /** {@return this with one more holder, or null if the last has let go} */
    @Nullable Fence getUnlessZero();

    /**
     * One holder less; the last frees it. Unsignaled with somebody waiting: reported as CK-38, and
     * signaled with EDEADLK (FE-11).
     */
    void put();

    /**
     * It has ended: runs the callbacks, in the order in which they came, on this thread (FE-4).
     * Later calls do nothing.
     *
     * @return whether this call did it
     */
    boolean signal();

    /** As {@link #signal}, at a time that the issuer knows. */
    boolean signalTimestamp(long nanoTime);

    /**
     * It will have failed; before {@link #signal} only (FE-5).
     *
     * @throws IllegalStateException it has signaled (reported as CK-39)
     */
    void setError(Errno error);

    /** {@return 0 unsignaled, 1 signaled, a negative errno signaled with an error (FE-5)} */
    int status();

    /** {@return the error it signaled with, or null} */
    @Nullable Errno error();

    /** {@return when it signaled; 0 before} */
    long timestamp();

    /** {@return whether it has ended; asks the issuer if need be (FE-9)} */
    boolean isSignaled();

    /**
     * Has something run when it signals, once (FE-6).
     *
     * @param callback not waiting for any fence now
     * @return false (the kernel's {@code ENOENT}) if it has signaled: then it does not run
     */
    boolean addCallback(FenceCallback callback);

    /**
     * {@return whether the callback was still waiting; it never runs then} When false it has run,
     * or was never added; it is not running any more when this returns (FE-7). Not from a callback
     * of this fence.
     */
    boolean removeCallback(FenceCallback callback);

    /** Has the issuer make sure that it will signal by itself (FE-8). */
    void enableSignaling();

    /**
     * Waits (FE-10).
     *
     * @param interruptible whether an interrupt ends it
     * @param timeoutNanos 0 only looks; {@link Reservation#NO_LIMIT} waits for ever
     * @return what is left of the limit, at least 1; <b>0: not signaled in time</b> (CK-19)
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} a negative limit; {@code
     *     ERESTARTSYS} interrupted
     */
    long waitTimeout(boolean interruptible, long timeoutNanos);

    /** Somebody needs it by then: a hint (FE-15). */
    void setDeadline(long nanoTime);
}
