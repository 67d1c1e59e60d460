package org.peerlane.dmabuf.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What the issuer of fences does. Kernel counterpart: {@code struct dma_fence_ops}. One object
 * serves all fences of an issuer.
 *
 * <p>{@link #enableSignaling} and {@link #signaled} are called as if with interrupts off: they must
 * not sleep.
 */
@ConsumerType
public interface FenceOperations {
    /** {@return the issuer, such as {@code gpu0}} */
    String driverName();

    /** {@return the timeline of the fence, such as {@code copy}} */
    String timelineName(Fence fence);

    /**
     * Somebody waits: makes sure that {@link Fence#signal} will be called. Once per fence (FE-8).
     *
     * @return false if the work has ended already
     */
    default boolean enableSignaling(Fence fence) {
        return true;
    }

    /** {@return whether the work is known to have ended (FE-9)} */
    default boolean signaled(Fence fence) {
        return false;
    }

    /** Somebody needs it by then (FE-15). */
    default void setDeadline(Fence fence, long nanoTime) {}

    /** An issuer that is told of the last reference. Its fences need it as long as they live. */
    @ConsumerType
    interface Releasing {
        /** Nobody holds the fence any more. */
        void release(Fence fence);
    }

    /** An issuer that waits in a way of its own. Its fences need it as long as they live. */
    @ConsumerType
    interface Waiting {
        /** As {@link Fence#waitTimeout}. */
        long waitTimeout(Fence fence, boolean interruptible, long timeoutNanos);
    }
}
