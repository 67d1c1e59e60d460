package org.peerlane.exec.live;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The timers of one execution: a queue and one thread, which comes with the first timer and leaves
 * when none has been pending for {@value #IDLE_SECONDS} s. A cancelled timer leaves the queue at
 * once, so it holds no class of its bundle.
 */
final class LiveTimers {
    private static final long IDLE_SECONDS = 10;

    private final ScheduledThreadPoolExecutor queue;
    private final Set<LiveTimer> unfinished = ConcurrentHashMap.newKeySet();
    private volatile @Nullable String running;

    LiveTimers(String owner) {
        queue =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().daemon().name(owner + "/timers").factory());
        queue.setRemoveOnCancelPolicy(true);
        queue.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        queue.allowCoreThreadTimeOut(true);
    }

    LiveTimer schedule(String name, long delayNanos, Runnable action) {
        LiveTimer timer = new LiveTimer(this, name, action);
        unfinished.add(timer);
        timer.queued(queue.schedule(timer, Math.max(0, delayNanos), TimeUnit.NANOSECONDS));
        return timer;
    }

    /** It has run, or will not. */
    void finished(LiveTimer timer) {
        unfinished.remove(timer);
    }

    /** {@return the names of those that are pending or run} */
    List<String> unfinished() {
        List<String> names = new ArrayList<>();
        for (LiveTimer timer : unfinished) {
            names.add(timer.name());
        }
        return names;
    }

    /** {@return the timer whose action runs now} */
    Optional<String> running() {
        return Optional.ofNullable(running);
    }

    void running(@Nullable String name) {
        running = name;
    }

    /** Cancels all, and interrupts the one that runs. */
    void close() {
        queue.shutdownNow();
        unfinished.removeIf(LiveTimer::isPending);
    }

    boolean join(long nanos) throws InterruptedException {
        return queue.awaitTermination(nanos, TimeUnit.NANOSECONDS);
    }
}
