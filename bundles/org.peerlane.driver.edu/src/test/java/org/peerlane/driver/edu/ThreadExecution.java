package org.peerlane.driver.edu;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/**
 * Plain threads, plain locks, and checkpoints that can be armed; no timers. Time may run faster:
 * each look at the clock lets some pass.
 */
final class ThreadExecution implements Execution, Checkpoints {
    private final Map<String, Point> points = new ConcurrentHashMap<>();
    private final AtomicLong passed = new AtomicLong();

    /** How much time each look at the clock lets pass. */
    volatile long nanosPerLook;

    private final List<Started> threads = new CopyOnWriteArrayList<>();

    /** {@return how many of the threads it started still run} */
    long alive() {
        return threads.stream().filter(Started::isAlive).count();
    }

    /** {@return what the bodies of its threads threw} */
    List<Throwable> failures() {
        return threads.stream().flatMap(t -> t.failure().stream()).toList();
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        Started started = new Started(name, body);
        threads.add(started);
        started.thread.start();
        return started;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime() + passed.addAndGet(nanosPerLook);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        throw new UnsupportedOperationException();
    }

    @Override
    public NamedLock lock(String name) {
        return new NamedLock(name) {};
    }

    @Override
    public Checkpoint checkpoint(String name) {
        return points.computeIfAbsent(name, Point::new);
    }

    @Override
    public Checkpoints checkpoints() {
        return this;
    }

    @Override
    public SortedSet<String> names() {
        return new TreeSet<>(points.keySet());
    }

    @Override
    public Armed arm(String name, Runnable action) {
        Point point = points.computeIfAbsent(name, Point::new);
        AtomicLong hits = new AtomicLong();
        Runnable counted =
                () -> {
                    hits.incrementAndGet();
                    action.run();
                };
        point.actions.add(counted);
        return new Armed() {
            @Override
            public long hits() {
                return hits.get();
            }

            @Override
            public void close() {
                point.actions.remove(counted);
            }
        };
    }

    private record Point(String name, List<Runnable> actions) implements Checkpoint {
        Point(String name) {
            this(name, new CopyOnWriteArrayList<>());
        }

        @Override
        public void reached() {
            actions.forEach(Runnable::run);
        }
    }

    private static final class Started implements EmulatedThread {
        private final Thread thread;
        private volatile @Nullable Throwable failure;

        Started(String name, Runnable body) {
            thread =
                    Thread.ofVirtual()
                            .name(name)
                            .uncaughtExceptionHandler((t, e) -> failure = e)
                            .unstarted(body);
        }

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
            return thread.join(Duration.ofNanos(timeoutNanos));
        }

        @Override
        public Optional<Throwable> failure() {
            return Optional.ofNullable(failure);
        }
    }
}
