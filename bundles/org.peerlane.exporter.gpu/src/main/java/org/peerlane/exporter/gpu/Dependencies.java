package org.peerlane.exporter.gpu;

import java.util.List;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.exec.api.Doorbell;

/**
 * Fences that something waits for without blocking a thread: whoever looks after it is rung when it
 * is worth looking again.
 *
 * <p><b>Life.</b> Holds its fences until each has signaled, or {@link #drop}. <b>Threads.</b> One
 * at a time.
 */
final class Dependencies {
    private final List<Fence> fences;
    private final FenceCallback wake;

    /** The first that has not been seen signaled. */
    private int next;

    private boolean waiting;

    /**
     * @param fences a reference of each goes here
     * @param bell rung when one signals
     */
    Dependencies(List<Fence> fences, Doorbell bell) {
        this.fences = fences;
        wake =
                new FenceCallback() {
                    @Override
                    public void signaled(Fence fence) {
                        bell.ring();
                    }
                };
    }

    /** {@return whether all have signaled} If not, the bell is rung when one more has. */
    boolean areSignaled() {
        while (next < fences.size()) {
            Fence fence = fences.get(next);
            if (!fence.isSignaled()) {
                if (waiting || fence.addCallback(wake)) {
                    waiting = true;
                    return false;
                }
            }
            if (waiting) {
                fence.removeCallback(wake); // it may still be on its way out
                waiting = false;
            }
            fence.put();
            next++;
        }
        return true;
    }

    /** Waits for none of them any more. */
    void drop() {
        for (; next < fences.size(); next++) {
            if (waiting) {
                fences.get(next).removeCallback(wake);
                waiting = false;
            }
            fences.get(next).put();
        }
    }
}
