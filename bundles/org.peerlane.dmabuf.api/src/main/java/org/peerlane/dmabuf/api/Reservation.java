package org.peerlane.dmabuf.api;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The lock of a buffer, or of several that share it, and the fences of what still uses the memory.
 * Kernel counterpart: {@code struct dma_resv}.
 *
 * <p><b>The lock</b> belongs to a thread and is not recursive. Taken with an {@link AcquireContext}
 * it resolves deadlocks among such transactions: who is younger and holds something already gets
 * {@code EDEADLK}, gives everything back, waits with {@link #lockSlow}, and starts over (RV-2,
 * RV-3). Taken without one it is a plain mutex that takes no part in that (RV-4).
 *
 * <p><b>Fences.</b> A slot is reserved before one is added, inside one critical section: what is
 * left of it at the unlock is gone (RV-6, RV-10, RV-12). Who waits for a fence may hold the lock;
 * therefore nobody who is needed to signal one may take it (FE-43).
 *
 * <p><b>Threads.</b> Any. Waiting is for engines and drivers, never for a callback of a fence.
 *
 * <p><b>Units.</b> Nanoseconds.
 */
@ProviderType
public interface Reservation {
    /** A limit that never comes. */
    long NO_LIMIT = Long.MAX_VALUE;

    /** {@return for reports, such as {@code system#17}} */
    String name();

    /**
     * Waits for the lock and takes it.
     *
     * @param context the transaction, or null for none: then it never fails
     * @throws org.peerlane.kernel.api.ErrnoException {@code EALREADY} this context holds it; {@code
     *     EDEADLK} an older transaction holds it, and this one holds others (RV-2)
     * @throws IllegalStateException this thread holds it: nobody would ever wake it (reported)
     */
    void lock(@Nullable AcquireContext context);

    /**
     * As {@link #lock}, and an interrupt ends the wait.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINTR} interrupted; else as {@link
     *     #lock}
     */
    void lockInterruptible(@Nullable AcquireContext context);

    /**
     * After {@code EDEADLK}, with nothing held: waits for the lock, however long, and takes it
     * (RV-3).
     */
    void lockSlow(AcquireContext context);

    /**
     * As {@link #lockSlow}, and an interrupt ends the wait.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINTR} interrupted
     */
    void lockSlowInterruptible(AcquireContext context);

    /** {@return whether it was free and is now taken, without a context} */
    boolean tryLock();

    /**
     * [held] Gives the lock back, and reserved slots with it.
     *
     * @throws IllegalStateException this thread does not hold it (reported as CK-16)
     */
    void unlock();

    /** {@return whether this thread holds it} */
    boolean isHeld();

    /** {@return whether anybody holds it; out of date as soon as it is read} */
    boolean isLocked();

    /** {@return the transaction it was taken with, or null; meaningful to the holder} */
    @Nullable AcquireContext context();

    /**
     * [held] Makes sure of {@code count} further {@link #addFence}. Does not add up with what was
     * reserved before (RV-17).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} 0 or less (reported); {@code
     *     ENOMEM} injected or real: the list is unchanged
     */
    void reserveFences(int count);

    /** {@return [held] adds that are sure now} */
    int reserved();

    /**
     * [held] Publishes a fence; takes a reference of its own. Overwrites what the same context had
     * before under the same or a weaker class, or what has signaled (RV-12, RV-15). A container is
     * reported as CK-22.
     *
     * @throws IllegalStateException no slot was reserved (reported as CK-20)
     */
    void addFence(Fence fence, FenceUsage usage);

    /**
     * [held] Puts {@code fence} in the place of everything that a context has here (RV-14). Right
     * only if its signal means that none of that can touch the memory any more.
     */
    void replaceFences(long fenceContext, Fence fence, FenceUsage usage);

    /**
     * [held] Replaces the list by that of another reservation, which need not be held (RV-25).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM}
     */
    void copyFences(Reservation source);

    /**
     * Hands out unsignaled fences of a class and those before it, without the lock: each has a
     * reference while it is looked at; the list is a snapshot (RV-22).
     */
    void forEachFence(FenceUsage usage, FenceVisitor visitor);

    /** {@return unsignaled fences of a class and those before it, one reference each (RV-25)} */
    List<Fence> getFences(FenceUsage usage);

    /**
     * {@return one fence for all of a class and those before it, or null if there is none; with one
     * reference (RV-25)} A container must not be added to a reservation.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM}
     */
    @Nullable Fence getSingleton(FenceUsage usage);

    /**
     * Waits until all fences of a class and those before it have signaled (RV-23).
     *
     * @param interruptible whether an interrupt ends it
     * @param timeoutNanos 0 only looks, {@link #NO_LIMIT} waits for ever
     * @return what is left of the limit, at least 1; <b>0: not signaled in time</b> (CK-19)
     * @throws org.peerlane.kernel.api.ErrnoException {@code ERESTARTSYS} interrupted; {@code
     *     EINVAL} a negative limit
     */
    long waitTimeout(FenceUsage usage, boolean interruptible, long timeoutNanos);

    /** {@return whether all fences of a class and those before it have signaled} */
    boolean testSignaled(FenceUsage usage);

    /** Tells the issuers that somebody needs them by then; a hint (RV-24). */
    void setDeadline(FenceUsage usage, long nanoTime);

    /** Is shown fences. */
    @FunctionalInterface
    interface FenceVisitor {
        /** One fence and the class it is under. */
        void visit(Fence fence, FenceUsage usage);
    }

    /** Runs something with the lock held, without a context. */
    default void whileHeld(Consumer<Reservation> action) {
        lock(null);
        try {
            action.accept(this);
        } finally {
            unlock();
        }
    }
}
