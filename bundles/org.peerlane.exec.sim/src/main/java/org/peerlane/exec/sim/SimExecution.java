package org.peerlane.exec.sim;

import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/** What a body under simulation gets; it lives for one schedule. */
final class SimExecution implements Execution {
    private final Scheduler scheduler;
    private final SimCheckpoints checkpoints;
    private final TimerThread timers;
    private final SimObservers observers = new SimObservers();
    private int locks;

    SimExecution(Scheduler scheduler, TimerThread timers) {
        this.scheduler = scheduler;
        this.timers = timers;
        checkpoints = new SimCheckpoints(scheduler);
    }

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        SimThread me = scheduler.me();
        SimThread thread = scheduler.start(name, body::run);
        scheduler.passed(me, "start", thread);
        scheduler.maybeSwitch(me);
        return thread;
    }

    @Override
    public boolean isSimulated() {
        return true;
    }

    @Override
    public long nanoTime() {
        return scheduler.now();
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        SimThread me = scheduler.me();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos <= 0) {
            scheduler.giveWay(me);
            return;
        }
        scheduler.passed(me, "sleep", "");
        scheduler.block(me, OtherWait.TIME, null, true, scheduler.deadline(nanos));
        if (me.woken == SimThread.Woken.INTERRUPTED) {
            Thread.interrupted();
            throw new InterruptedException();
        }
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        return timers.schedule(name, delayNanos, action);
    }

    @Override
    public NamedLock lock(String name) {
        return new SimLock(scheduler, observers, name, ++locks);
    }

    @Override
    public LockObservation observeLocks(LockObserver observer) {
        return observers.observe(observer);
    }

    @Override
    public Checkpoint checkpoint(String name) {
        SimCheckpoint checkpoint = checkpoints.get(name);
        checkpoint.askedFor = true;
        return checkpoint;
    }

    @Override
    public Checkpoints checkpoints() {
        return checkpoints;
    }
}
