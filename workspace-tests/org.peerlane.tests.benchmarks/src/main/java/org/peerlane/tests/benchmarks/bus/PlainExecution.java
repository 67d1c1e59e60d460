package org.peerlane.tests.benchmarks.bus;

import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/** Daemon threads, real time, no timers, checkpoints that cost one field read. */
final class PlainExecution implements Execution, Checkpoints {
    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        Thread thread = Thread.ofPlatform().daemon().name(name).start(body);
        return new Started(thread);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        return () -> true;
    }

    @Override
    public NamedLock lock(String name) {
        return new Lock(name);
    }

    @Override
    public Checkpoint checkpoint(String name) {
        return new Point(name);
    }

    @Override
    public Checkpoints checkpoints() {
        return this;
    }

    @Override
    public SortedSet<String> names() {
        return new TreeSet<>();
    }

    @Override
    public Armed arm(String name, Runnable action) {
        throw new UnsupportedOperationException();
    }

    private static final class Lock extends NamedLock {
        private static final long serialVersionUID = 1;

        Lock(String name) {
            super(name);
        }
    }

    private static final class Point implements Checkpoint {
        private final String name;
        private volatile @Nullable Runnable armed;

        Point(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void reached() {
            Runnable action = armed;
            if (action != null) {
                action.run();
            }
        }
    }

    private record Started(Thread thread) implements EmulatedThread {
        @Override
        public String name() {
            return thread.getName();
        }

        @Override
        public boolean isAlive() {
            return thread.isAlive();
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
            thread.join(Math.max(1, timeoutNanos / 1_000_000));
            return !thread.isAlive();
        }

        @Override
        public Optional<Throwable> failure() {
            return Optional.empty();
        }
    }
}
