package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/** The least execution that the bus can be tested on: platform threads, real time. */
final class ThreadExecution implements Execution, Checkpoints {
    private final Map<String, Point> points = new ConcurrentHashMap<>();
    private final List<Started> started = new CopyOnWriteArrayList<>();

    /** {@return names of the threads whose body still runs, timers left out} */
    List<String> alive() {
        List<String> names = new ArrayList<>();
        started.stream().filter(Started::isAlive).forEach(t -> names.add(t.name()));
        return names;
    }

    /** Waits until a thread waits for something. */
    void awaitWaiting(String name) {
        Started one = started.stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
        while (one.thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        Started thread = new Started(name, body);
        started.add(thread);
        thread.thread.start();
        return thread;
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
        AtomicBoolean taken = new AtomicBoolean();
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                sleep(delayNanos);
                                if (taken.compareAndSet(false, true)) {
                                    action.run();
                                }
                            } catch (InterruptedException e) {
                                // cancelled
                            }
                        },
                        name);
        thread.setDaemon(true);
        thread.start();
        return () -> {
            boolean mine = taken.compareAndSet(false, true);
            if (mine) {
                thread.interrupt();
            }
            return mine;
        };
    }

    @Override
    public NamedLock lock(String name) {
        return new Lock(name);
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
        point.action =
                () -> {
                    hits.incrementAndGet();
                    action.run();
                };
        return new Armed() {
            @Override
            public long hits() {
                return hits.get();
            }

            @Override
            public void close() {
                point.action = null;
            }
        };
    }

    private static final class Lock extends NamedLock {
        private static final long serialVersionUID = 1;

        Lock(String name) {
            super(name);
        }
    }

    private static final class Point implements Checkpoint {
        private final String name;
        volatile @Nullable Runnable action;

        Point(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void reached() {
            Runnable armed = action;
            if (armed != null) {
                armed.run();
            }
        }
    }

    private static final class Started implements EmulatedThread {
        private final Thread thread;

        Started(String name, Runnable body) {
            thread = new Thread(body, name);
            thread.setDaemon(true);
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
            thread.join(Math.max(1, timeoutNanos / 1_000_000));
            return !thread.isAlive();
        }

        @Override
        public Optional<Throwable> failure() {
            return Optional.empty();
        }
    }
}
