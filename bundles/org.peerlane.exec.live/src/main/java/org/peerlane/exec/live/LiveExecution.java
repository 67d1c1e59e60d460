package org.peerlane.exec.live;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/**
 * Threads of the JVM, {@link System#nanoTime}, plain locks.
 *
 * <p><b>Life.</b> Until {@link #close}, which cancels timers, interrupts threads, waits a little
 * and reports what is still alive with the owner's name.
 *
 * <p><b>Threads.</b> Any. The set of threads is concurrent; there is no lock.
 */
public final class LiveExecution implements Execution, AutoCloseable {
    private static final Logger LOG = LogManager.getLogger(LiveExecution.class);
    private static final long CLOSE_LIMIT_NANOS = 2_000_000_000L;

    private final String owner;
    private final LiveCheckpoints checkpoints;
    private final Set<LiveThread> threads = ConcurrentHashMap.newKeySet();
    private final ScheduledThreadPoolExecutor timers;

    /**
     * An execution of its own, with checkpoints of its own.
     *
     * @param owner named in reports, such as a bundle's symbolic name
     */
    public LiveExecution(String owner) {
        this(owner, new LiveCheckpoints());
    }

    /**
     * An execution that shares its checkpoints with others.
     *
     * @param owner named in reports
     * @param checkpoints shared by all executions of a machine
     */
    LiveExecution(String owner, LiveCheckpoints checkpoints) {
        this.owner = owner;
        this.checkpoints = checkpoints;
        timers =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().daemon().name(owner + ".timer").factory());
        timers.setRemoveOnCancelPolicy(true);
        timers.setKeepAliveTime(10, TimeUnit.SECONDS);
        timers.allowCoreThreadTimeOut(true);
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        var thread = new LiveThread(kind, name, body, threads::remove);
        threads.add(thread);
        thread.begin();
        return thread;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        var future =
                timers.schedule(
                        () -> runTimer(name, action),
                        Math.max(0, delayNanos),
                        TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    private void runTimer(String name, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException | Error e) {
            LOG.error("{}: timer {} threw", owner, name, e);
        }
    }

    @Override
    public NamedLock lock(String name) {
        return new LiveLock(name);
    }

    @Override
    public Checkpoint checkpoint(String name) {
        return checkpoints.of(name);
    }

    @Override
    public Checkpoints checkpoints() {
        return checkpoints;
    }

    /** {@return the names of the threads that are alive, sorted} */
    public List<String> threads() {
        return threads.stream().map(EmulatedThread::name).sorted().toList();
    }

    @Override
    public void close() {
        int pending = timers.shutdownNow().size();
        if (pending > 0) {
            LOG.warn("{} left {} timers, which are cancelled", owner, pending);
        }
        threads.forEach(LiveThread::interruptQuietly);
        long end = System.nanoTime() + CLOSE_LIMIT_NANOS;
        for (LiveThread thread : threads) {
            if (thread.isCurrent()) {
                continue;
            }
            if (!thread.awaitEnd(end - System.nanoTime())) {
                LOG.warn(
                        "{} left thread {} alive, at {}", owner, thread.name(), thread.whereItIs());
            }
        }
    }

    private static final class LiveLock extends NamedLock {
        @java.io.Serial private static final long serialVersionUID = 1;

        LiveLock(String name) {
            super(name);
        }
    }
}
