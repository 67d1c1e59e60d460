package org.peerlane.exec.live;

import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Timer;

/** One action in the queue. Whoever takes it first, the clock or a cancel, has it. */
final class LiveTimer implements Timer, Runnable {
    private static final Logger LOG = LogManager.getLogger(LiveTimer.class);

    private final LiveTimers timers;
    private final String name;
    private final Runnable action;
    private final AtomicBoolean taken = new AtomicBoolean();
    private volatile @Nullable Future<?> entry;

    LiveTimer(LiveTimers timers, String name, Runnable action) {
        this.timers = timers;
        this.name = name;
        this.action = action;
    }

    String name() {
        return name;
    }

    boolean isPending() {
        return !taken.get();
    }

    void queued(Future<?> future) {
        entry = future;
    }

    @Override
    public void run() {
        if (taken.getAndSet(true)) {
            return;
        }
        timers.running(name);
        try {
            action.run();
        } catch (Throwable e) {
            LOG.error("timer {} failed", name, e);
        } finally {
            timers.running(null);
            timers.finished(this);
        }
    }

    @Override
    public boolean cancel() {
        if (taken.getAndSet(true)) {
            return false;
        }
        timers.finished(this);
        Future<?> future = entry;
        if (future
                != null) { // null: the timer's maker has not returned yet; it will fire as nothing
            future.cancel(false);
        }
        return true;
    }
}
