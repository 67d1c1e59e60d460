package org.peerlane.dmabuf.api;

import org.jspecify.annotations.Nullable;

/**
 * What runs when a fence signals. Kernel counterpart: {@code struct dma_fence_cb}. It is its own
 * place in the list of the fence, so that waiting allocates nothing.
 *
 * <p><b>Life.</b> May be added anew once it has run or was removed. <b>Threads.</b> {@link
 * #signaled} runs on the thread that signals, as if with interrupts off: it must not sleep, take a
 * reservation, or allocate with reclaim (FE-4, CK-40).
 */
public abstract class FenceCallback {
    private @Nullable FenceCallback next;
    private @Nullable Object queue;

    /** For subclasses. */
    protected FenceCallback() {}

    /**
     * The fence has signaled.
     *
     * @param fence the one that this was added to
     */
    public abstract void signaled(Fence fence);

    /** {@return the one after it} For the core, under the fence's lock. */
    public final @Nullable FenceCallback next() {
        return next;
    }

    /** For the core, under the fence's lock. */
    public final void next(@Nullable FenceCallback after) {
        next = after;
    }

    /** {@return the fence that it waits for, or null} For the core. */
    public final @Nullable Object queue() {
        return queue;
    }

    /** For the core, under the fence's lock. */
    public final void queue(@Nullable Object fence) {
        queue = fence;
    }
}
