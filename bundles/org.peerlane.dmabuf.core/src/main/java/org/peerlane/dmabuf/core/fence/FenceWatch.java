package org.peerlane.dmabuf.core.fence;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What checks keep of one fence. <b>Threads.</b> As the fence. */
final class FenceWatch {
    /** Where the fence was made: only the stack counts. */
    final Throwable creator = new Throwable("made here");

    /** Its timeline, once it is on one. */
    volatile @Nullable Timeline timeline;

    /** What it took the place of in reservations, unsignaled then; forgotten when it signals. */
    final AtomicReference<@Nullable Overwritten> overwrote = new AtomicReference<>();

    /** A fence whose place in a reservation was taken by a later one of its timeline. */
    record Overwritten(CoreFence fence, String reservation, @Nullable Overwritten next) {}

    /** Whether the watchdog has reported it. */
    volatile boolean reported;

    /** {@return the frames below the core's own, as one line} */
    String madeBy() {
        StringBuilder text = new StringBuilder();
        int frames = 0;
        for (StackTraceElement frame : creator.getStackTrace()) {
            if (!frame.getClassName().startsWith("org.peerlane.dmabuf.core.fence.")
                    && !frame.getClassName().equals("org.peerlane.dmabuf.api.Fences")) {
                text.append(frames == 0 ? "" : " < ").append(frame);
                if (++frames == 8) {
                    break;
                }
            }
        }
        return text.toString();
    }
}
