package org.peerlane.dmabuf.core.resv;

import org.peerlane.dmabuf.core.fence.CoreFence;

/** Is told of fences that stand for a move of what a reservation guards. */
@FunctionalInterface
public interface Moves {
    /** [held] A fence has come under {@code KERNEL}. */
    void begins(CoreFence fence);
}
