package org.peerlane.exec.sim;

import java.io.Serial;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;

/**
 * A lock without a JDK queue: owner and waiters are plain fields, since only one thread runs at a
 * time. It is a switch point before an acquisition and after a release. A release makes every
 * waiter runnable and whoever is chosen first gets it, so barging is explored too.
 */
final class SimLock extends NamedLock {
    @Serial private static final long serialVersionUID = 1;

    private final transient Scheduler scheduler;
    private final transient SimObservers observers;
    private final int number; // tells locks of one class apart in reports
    private final transient WaitList waiters = new WaitList();
    private transient @Nullable SimThread owner;
    private transient int holds;

    SimLock(Scheduler scheduler, SimObservers observers, String name, int number) {
        super(name);
        this.scheduler = scheduler;
        this.observers = observers;
        this.number = number;
    }

    @Nullable SimThread owner() {
        return owner;
    }

    WaitList waiters() {
        return waiters;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    @Override
    public void lock() {
        SimThread me = scheduler.me();
        if (owner == me) {
            holds++;
            return;
        }
        observers.acquiring(this);
        scheduler.point("lock", this);
        if (owner != null) {
            observers.waiting(this);
        }
        acquire(me, 1);
        observers.acquired(this);
    }

    /** Takes the lock, waiting without limit; no switch point of its own. */
    void acquire(SimThread me, int count) {
        while (owner != null) {
            scheduler.block(me, this, waiters, false, Long.MAX_VALUE);
        }
        owner = me;
        holds = count;
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        tryUntil(Long.MAX_VALUE);
    }

    @Override
    public boolean tryLock() {
        SimThread me = scheduler.me();
        if (owner == me) {
            return takeIfFree(me);
        }
        scheduler.point("try", this);
        boolean taken = takeIfFree(me);
        if (taken) {
            observers.acquired(this);
        }
        return taken;
    }

    @Override
    public boolean tryLock(long timeout, TimeUnit unit) throws InterruptedException {
        return tryUntil(scheduler.deadline(unit.toNanos(timeout)));
    }

    private boolean tryUntil(long deadline) throws InterruptedException {
        SimThread me = scheduler.me();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (owner == me) {
            return takeIfFree(me);
        }
        observers.acquiring(this);
        boolean taken = false;
        try {
            scheduler.point("lock", this);
            taken = waitUntil(me, deadline);
        } finally {
            if (taken) {
                observers.acquired(this);
            } else {
                observers.givenUp(this);
            }
        }
        return taken;
    }

    private boolean waitUntil(SimThread me, long deadline) throws InterruptedException {
        if (owner != null) {
            observers.waiting(this);
        }
        while (!takeIfFree(me)) {
            if (scheduler.now() >= deadline) {
                return false;
            }
            scheduler.block(me, this, waiters, true, deadline);
            if (me.woken == SimThread.Woken.INTERRUPTED) {
                Thread.interrupted();
                throw new InterruptedException();
            }
        }
        return true;
    }

    private boolean takeIfFree(SimThread me) {
        if (owner != null && owner != me) {
            return false;
        }
        owner = me;
        holds++;
        return true;
    }

    @Override
    public void unlock() {
        SimThread me = held();
        if (--holds == 0) {
            free();
            observers.released(this);
            scheduler.passed(me, "unlock", this);
            scheduler.maybeSwitch(me);
        }
    }

    /** {@return the calling thread, which must hold the lock} */
    SimThread held() {
        SimThread me = scheduler.me();
        if (owner != me) {
            throw new IllegalMonitorStateException(
                    me + " does not hold " + this + ", its owner is " + owner);
        }
        return me;
    }

    /** Gives the lock up whole. {@return the holds to take again} */
    int release() {
        int had = holds;
        holds = 0;
        free();
        return had;
    }

    private void free() {
        owner = null;
        for (SimThread waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            scheduler.wake(waiter, waiter.woken);
        }
    }

    @Override
    public SimCondition newCondition() {
        return newCondition("condition");
    }

    @Override
    public SimCondition newCondition(String condition) {
        return new SimCondition(this, condition);
    }

    @Override
    public @Nullable Thread holder() {
        SimThread now = owner;
        return now == null ? null : now.thread;
    }

    @Override
    public boolean isLocked() {
        return owner != null;
    }

    @Override
    public boolean isHeldByCurrentThread() {
        return owner != null && owner.thread == Thread.currentThread();
    }

    @Override
    public int getHoldCount() {
        return isHeldByCurrentThread() ? holds : 0;
    }

    @Override
    public String toString() {
        return name() + "#" + number;
    }
}
