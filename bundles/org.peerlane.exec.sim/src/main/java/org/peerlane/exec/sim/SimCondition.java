package org.peerlane.exec.sim;

import java.util.Date;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.peerlane.exec.sim.SimThread.Woken;

/** A condition; signals go first come, first served, as the JDK's do. */
final class SimCondition implements Condition {
    private final SimLock lock;
    private final String name;
    private final WaitList waiters = new WaitList();

    SimCondition(SimLock lock, String name) {
        this.lock = lock;
        this.name = name;
    }

    SimLock lock() {
        return lock;
    }

    @Override
    public void await() throws InterruptedException {
        waitUntil(true, Long.MAX_VALUE);
    }

    @Override
    public void awaitUninterruptibly() {
        try {
            waitUntil(false, Long.MAX_VALUE);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public long awaitNanos(long nanos) throws InterruptedException {
        long deadline = lock.scheduler().deadline(nanos);
        waitUntil(true, deadline);
        return deadline - lock.scheduler().now();
    }

    @Override
    public boolean await(long time, TimeUnit unit) throws InterruptedException {
        return waitUntil(true, lock.scheduler().deadline(unit.toNanos(time))) != Woken.TIMED_OUT;
    }

    @Override
    public boolean awaitUntil(Date deadline) {
        throw new UnsupportedOperationException("a simulation has no calendar: use awaitNanos");
    }

    private Woken waitUntil(boolean interruptible, long deadline) throws InterruptedException {
        SimThread me = lock.held();
        if (interruptible && Thread.interrupted()) {
            throw new InterruptedException();
        }
        Scheduler scheduler = lock.scheduler();
        int holds = lock.release();
        scheduler.passed(me, "await", this);
        scheduler.block(me, this, waiters, interruptible, deadline);
        Woken woken = me.woken;
        lock.acquire(me, holds);
        if (woken == Woken.INTERRUPTED) {
            Thread.interrupted();
            throw new InterruptedException();
        }
        return woken;
    }

    @Override
    public void signal() {
        SimThread me = lock.held();
        SimThread waiter = waiters.poll();
        if (waiter != null) {
            queueForLock(waiter);
        }
        after(me, "signal");
    }

    @Override
    public void signalAll() {
        SimThread me = lock.held();
        for (SimThread waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            queueForLock(waiter);
        }
        after(me, "signal-all");
    }

    private void after(SimThread me, String what) {
        lock.scheduler().passed(me, what, this);
        lock.scheduler().maybeSwitch(me);
    }

    /** The signaller holds the lock, so the waiter's next wait is for that. */
    private void queueForLock(SimThread waiter) {
        lock.scheduler().moveTo(waiter, lock, lock.waiters());
    }

    @Override
    public String toString() {
        return lock + "." + name;
    }
}
