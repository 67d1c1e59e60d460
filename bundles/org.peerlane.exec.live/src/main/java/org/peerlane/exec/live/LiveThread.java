package org.peerlane.exec.live;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;

/** A thread of the JVM with a name and with what its body threw. */
final class LiveThread implements EmulatedThread {
    private static final Logger LOG = LogManager.getLogger(LiveThread.class);

    private final String name;
    private final Thread thread;
    private volatile @Nullable Throwable failure;

    LiveThread(ThreadKind kind, String name, Runnable body, Consumer<LiveThread> ended) {
        this.name = name;
        Runnable run =
                () -> {
                    try {
                        body.run();
                    } catch (Throwable e) {
                        failure = e;
                        LOG.error("thread {} ended by an exception", name, e);
                    } finally {
                        ended.accept(this);
                    }
                };
        thread =
                switch (kind) {
                    case BLOCKING -> Thread.ofVirtual().name(name).unstarted(run);
                    case POLLING -> Thread.ofPlatform().daemon().name(name).unstarted(run);
                };
    }

    void begin() {
        thread.start();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isAlive() {
        return thread.isAlive();
    }

    @Override
    public void interrupt() {
        thread.interrupt();
    }

    void interruptQuietly() {
        if (!isCurrent()) {
            thread.interrupt();
        }
    }

    boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    @Override
    public void join() throws InterruptedException {
        thread.join();
    }

    @Override
    public boolean join(long timeoutNanos) throws InterruptedException {
        return thread.join(Duration.ofNanos(Math.max(0, timeoutNanos)));
    }

    /**
     * As {@link #join(long)}, for a caller that is going down itself and takes an interrupt as the
     * end.
     */
    boolean awaitEnd(long timeoutNanos) {
        try {
            return join(timeoutNanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return !isAlive();
        }
    }

    String whereItIs() {
        StackTraceElement[] stack = thread.getStackTrace();
        return stack.length == 0 ? "its end" : stack[0].toString();
    }

    @Override
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public String toString() {
        return name;
    }
}
