package org.peerlane.exec.live;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;

/** A virtual thread, or a platform thread for one that polls. */
final class LiveThread implements EmulatedThread {
    private static final Logger LOG = LogManager.getLogger(LiveThread.class);

    private final String owner;
    private final String name;
    private final Runnable body;
    private final Consumer<LiveThread> atEnd;
    private final Thread thread;
    private volatile @Nullable Throwable failure;

    LiveThread(
            ThreadKind kind, String owner, String name, Runnable body, Consumer<LiveThread> atEnd) {
        this.owner = owner;
        this.name = name;
        this.body = body;
        this.atEnd = atEnd;
        Thread.Builder builder =
                switch (kind) {
                    case BLOCKING -> Thread.ofVirtual();
                    case POLLING -> Thread.ofPlatform().daemon();
                };
        thread = builder.name(owner + "/" + name).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            body.run();
        } catch (Throwable e) {
            failure = e;
            LOG.error("thread {} of {} died", name, owner, e);
        } finally {
            atEnd.accept(this);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isAlive() {
        return thread.isAlive();
    }

    boolean isCurrent() {
        return thread == Thread.currentThread();
    }

    @Override
    public void interrupt() {
        thread.interrupt();
    }

    @Override
    public void join() throws InterruptedException {
        thread.join();
    }

    @Override
    public boolean join(long timeoutNanos) throws InterruptedException {
        return thread.join(Duration.ofNanos(Math.max(0, timeoutNanos)));
    }

    @Override
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** {@return where it is, for a report} */
    String place() {
        StackTraceElement[] stack = thread.getStackTrace();
        return stack.length == 0 ? "an unknown place" : stack[0].toString();
    }
}
