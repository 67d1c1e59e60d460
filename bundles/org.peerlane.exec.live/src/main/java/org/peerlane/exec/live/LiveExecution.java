package org.peerlane.exec.live;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.osgi.framework.Bundle;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;
import org.peerlane.exec.api.Work;

/**
 * The execution of one bundle, on real threads and real time.
 *
 * <p><b>Life.</b> Open until the bundle lets go of it. Closing refuses new work, cancels timers,
 * disarms what the bundle armed, interrupts every thread, waits {@value #GRACE_MILLIS} ms for them
 * together, and reports who is still alive.
 *
 * <p><b>Threads.</b> Any. A thread that starts another while it is being closed fails to.
 */
@Component(service = Execution.class, scope = ServiceScope.BUNDLE)
public final class LiveExecution implements Execution, AutoCloseable {
    /** How long a closing execution waits for its threads. */
    public static final long GRACE_MILLIS = 2_000;

    private static final Logger LOG = LogManager.getLogger(LiveExecution.class);

    private final String name;
    private final LiveExecutions all;
    private final ArmedHere checkpoints;
    private final LiveLocks locks;
    private final LiveTimers timers;
    private final Set<LockObservation> observations = ConcurrentHashMap.newKeySet();
    private final Set<LiveThread> threads = ConcurrentHashMap.newKeySet();
    private final ReentrantLock life = new ReentrantLock(); // guards closed against a late start
    private boolean closed;

    /**
     * For the bundle that asked.
     *
     * @param context names the bundle
     * @param checkpoints the set that all executions share
     * @param locks who observes them, in all executions
     * @param all the executions, of which this will be one
     */
    @Activate
    public LiveExecution(
            ComponentContext context,
            @Reference LiveCheckpoints checkpoints,
            @Reference LiveLocks locks,
            @Reference LiveExecutions all) {
        this(nameOf(context.getUsingBundle()), checkpoints, locks, all);
    }

    /**
     * For tests and programs without a framework; it has checkpoints of its own.
     *
     * @param name prefix of its threads' names
     */
    public LiveExecution(String name) {
        this(name, new LiveCheckpoints(), new LiveLocks(), new LiveExecutions());
    }

    private LiveExecution(
            String name, LiveCheckpoints shared, LiveLocks locks, LiveExecutions all) {
        this.name = name;
        this.locks = locks;
        this.all = all;
        checkpoints = new ArmedHere(shared);
        timers = new LiveTimers(name);
        all.opened(this);
    }

    private static String nameOf(Bundle bundle) {
        String name = bundle.getSymbolicName();
        return name == null ? "bundle " + bundle.getBundleId() : name;
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String threadName, Runnable body) {
        LiveThread thread = new LiveThread(kind, name, threadName, body, threads::remove);
        life.lock();
        try {
            if (closed) {
                throw closed("thread " + threadName);
            }
            threads.add(thread);
            thread.start();
        } finally {
            life.unlock();
        }
        return thread;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // a sleep of 0 is defined as a yield
    public void sleep(long nanos) throws InterruptedException {
        if (nanos > 0) {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } else if (Thread.interrupted()) {
            throw new InterruptedException();
        } else {
            Thread.yield();
        }
    }

    @Override
    public Timer schedule(String timerName, long delayNanos, Runnable action) {
        life.lock();
        try {
            if (closed) {
                throw closed("timer " + timerName);
            }
            return timers.schedule(timerName, delayNanos, action);
        } finally {
            life.unlock();
        }
    }

    private IllegalStateException closed(String what) {
        return new IllegalStateException(
                what + " cannot start: the execution of " + name + " is closed");
    }

    @Override
    public NamedLock lock(String lockName) {
        return locks.make(lockName);
    }

    @Override
    public LockObservation observeLocks(LockObserver observer) {
        LockObservation observation = locks.observe(observer);
        observations.add(observation);
        return observation;
    }

    @Override
    public Checkpoint checkpoint(String checkpointName) {
        return checkpoints.shared().get(checkpointName);
    }

    @Override
    public Checkpoints checkpoints() {
        return checkpoints;
    }

    /** {@return what it has not finished: threads and timers} */
    public List<Work> work() {
        List<Work> work = new ArrayList<>();
        for (LiveThread thread : threads) {
            work.add(new Work(name, Work.Kind.THREAD, thread.name()));
        }
        for (String timer : timers.unfinished()) {
            work.add(new Work(name, Work.Kind.TIMER, timer));
        }
        return work;
    }

    /**
     * Waits for threads that are about to end by themselves.
     *
     * @param limitNanos the longest to wait
     * @return what it has not finished then
     * @throws InterruptedException the waiting thread was interrupted
     */
    public List<Work> awaitEnd(long limitNanos) throws InterruptedException {
        awaitThreads(System.nanoTime() + limitNanos);
        return work();
    }

    private void awaitThreads(long deadline) throws InterruptedException {
        for (LiveThread thread : threads) {
            if (!thread.isCurrent()) {
                thread.join(deadline - System.nanoTime());
            }
        }
    }

    /** {@return the names of its threads that have not ended} */
    public List<String> alive() {
        List<String> names = new ArrayList<>();
        for (LiveThread thread : threads) {
            names.add(thread.name());
        }
        timers.running().ifPresent(names::add);
        names.sort(null);
        return names;
    }

    @Override
    @Deactivate
    public void close() {
        life.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            life.unlock();
        }
        checkpoints.disarmAll();
        observations.forEach(LockObservation::close);
        timers.close();
        threads.forEach(LiveThread::interrupt);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS);
        boolean interrupted = false;
        try {
            awaitThreads(deadline);
            timers.join(deadline - System.nanoTime());
        } catch (InterruptedException e) {
            interrupted =
                    true; // whoever stops us is in a hurry: report what is left, and pass it on
        }
        report();
        all.closed(this);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void report() {
        for (LiveThread thread : threads) {
            LOG.warn("{} left thread {} behind, at {}", name, thread.name(), thread.place());
        }
        timers.running().ifPresent(timer -> LOG.warn("{} left timer {} running", name, timer));
    }

    @Override
    public String toString() {
        return "execution of " + name;
    }
}
