package org.peerlane.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/**
 * An execution whose threads a test can look at: which still run, what they threw, whether one has
 * got to where it waits. Everything else is the execution's that it is given.
 *
 * <p><b>Threads.</b> Any. <b>Life.</b> The other execution's; whoever made that closes it.
 */
public final class WatchedExecution implements Execution {
    private final Execution inner;
    private final List<Watched> threads = new CopyOnWriteArrayList<>();
    private final AtomicLong skew = new AtomicLong();
    private volatile long nanosPerLook;

    private static final class Watched {
        final String name;
        volatile @Nullable Thread runner;
        volatile @Nullable EmulatedThread thread;

        Watched(String name) {
            this.name = name;
        }

        boolean isAlive() {
            EmulatedThread started = thread;
            return started != null && started.isAlive();
        }
    }

    /**
     * @param inner who does the work
     */
    public WatchedExecution(Execution inner) {
        this.inner = inner;
    }

    /** {@return names of the threads whose body still runs} */
    public List<String> alive() {
        List<String> names = new ArrayList<>();
        for (Watched watched : threads) {
            if (watched.isAlive()) {
                names.add(watched.name);
            }
        }
        return names;
    }

    /** {@return what the bodies of its threads threw} */
    public List<Throwable> failures() {
        List<Throwable> failures = new ArrayList<>();
        for (Watched watched : threads) {
            EmulatedThread started = watched.thread;
            if (started != null) {
                started.failure().ifPresent(failures::add);
            }
        }
        return failures;
    }

    /**
     * Waits until the thread of a name waits for something; with a processor, so not under
     * simulation.
     *
     * @throws IllegalArgumentException no thread was started with this name
     */
    public void awaitWaiting(String name) {
        for (Watched watched : threads) {
            if (watched.name.equals(name)) {
                Await.until(name + " to wait", () -> waits(watched.runner));
                return;
            }
        }
        throw new IllegalArgumentException("no thread was started with the name " + name);
    }

    private static boolean waits(@Nullable Thread thread) {
        Thread.State state = thread == null ? Thread.State.NEW : thread.getState();
        return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
    }

    /** From now on each look at the clock lets so much more time pass, for those who poll it. */
    public void passPerLook(long nanos) {
        nanosPerLook = nanos;
    }

    /** Arms a checkpoint: {@link Checkpoints#arm}. */
    public Checkpoints.Armed arm(String name, Runnable action) {
        return inner.checkpoints().arm(name, action);
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        Watched watched = new Watched(name);
        threads.add(watched);
        EmulatedThread started =
                inner.start(
                        kind,
                        name,
                        () -> {
                            watched.runner = Thread.currentThread();
                            body.run();
                        });
        watched.thread = started;
        return started;
    }

    @Override
    public boolean isSimulated() {
        return inner.isSimulated();
    }

    @Override
    public long nanoTime() {
        return inner.nanoTime() + skew.addAndGet(nanosPerLook);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        inner.sleep(nanos);
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        return inner.schedule(name, delayNanos, action);
    }

    @Override
    public NamedLock lock(String name) {
        return inner.lock(name);
    }

    @Override
    public Checkpoint checkpoint(String name) {
        return inner.checkpoint(name);
    }

    @Override
    public Checkpoints checkpoints() {
        return inner.checkpoints();
    }

    @Override
    public LockObservation observeLocks(LockObserver observer) {
        return inner.observeLocks(observer);
    }
}
