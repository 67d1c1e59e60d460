package org.peerlane.dmabuf.core.fence;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.exec.api.Timer;

/**
 * Reports published fences of one owner that do not signal in time (CK-31, FE-40). Once per fence.
 *
 * <p><b>Life.</b> Asleep; the first publication sets one timer, which looks at all fences of the
 * owner and sets itself again as long as one of them may still come to be late. So publishing costs
 * one read, and nothing is pending for long when no fence is. It ends when the owner leaves.
 *
 * <p><b>Protocol.</b> {@code set} says that a timer will look. The timer clears it before it looks,
 * so a fence that is published meanwhile is either seen or sets the timer again.
 */
final class FenceWatchdog {
    private final CoreFences owner;
    private final AtomicBoolean set = new AtomicBoolean();

    /** Set last; may have fired. */
    private volatile @Nullable Timer timer;

    private volatile boolean closed;

    FenceWatchdog(CoreFences owner) {
        this.owner = owner;
    }

    /** A fence was published, and is listed. */
    void published() {
        long limit = owner.environment.watchdogNanos;
        if (limit > 0 && !set.get() && !closed) {
            wake(limit);
        }
    }

    private void wake(long nanos) {
        if (set.compareAndSet(false, true)) {
            timer =
                    owner.environment.execution.schedule(
                            "dmabuf.fence.watchdog", nanos, this::look);
            if (closed) {
                close();
            }
        }
    }

    /** Looks no more: the owner has left, or the core. */
    void close() {
        closed = true;
        Timer last = timer;
        if (last != null) {
            last.cancel();
        }
    }

    private void look() {
        set.set(false);
        owner.environment.checks.lookAtWaits();
        long limit = owner.environment.watchdogNanos;
        long now = owner.environment.execution.nanoTime();
        long next = Long.MAX_VALUE;
        for (CoreFence fence : owner.live.list()) {
            FenceWatch watch = fence.watch();
            if (watch == null || watch.reported || !fence.isPublished() || fence.isEnded()) {
                continue;
            }
            long age = now - fence.publishedAt();
            if (age < limit) {
                next = Math.min(next, limit - age);
            } else {
                watch.reported = true;
                fence.report(
                        "CK-31",
                        Severity.FATAL,
                        "has not signaled %d ms after its publication; driver %s, timeline %s, made at %s"
                                .formatted(
                                        age / 1_000_000,
                                        fence.driverName(),
                                        fence.timelineName(),
                                        watch.madeBy()));
            }
        }
        if (next != Long.MAX_VALUE && !closed) {
            wake(next);
        }
    }
}
