package org.peerlane.exec.sim;

import java.io.Serial;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;

/**
 * A lock of a simulation. It keeps its own owner and waiters instead of the JDK's queue: whoever of
 * the waiters and the newcomers is chosen first gets it, so that every order is explored.
 */
final class SimLock extends NamedLock implements SimThread.Waitable {
    @Serial private static final long serialVersionUID = 1;

    private final transient Simulation sim;
    private final transient List<SimThread> waiters = new ArrayList<>(2);
    private transient @Nullable SimThread owner;
    private transient int holds;

    SimLock(Simulation sim, String name) {
        super(name);
        this.sim = sim;
    }

    @Override
    public String describe() {
        return "lock " + name() + ", which " + (owner == null ? "nobody" : owner.name()) + " holds";
    }

    @Override
    public void lock() {
        sim.switchPoint("lock ", name());
        acquire(sim.current());
    }

    private void acquire(SimThread me) {
        while (owner != null && owner != me) {
            waiters.add(me);
            me.blockUninterruptibly(this);
            waiters.remove(me);
        }
        owner = me;
        holds++;
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        sim.switchPoint("lock ", name());
        SimThread me = sim.current();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        while (owner != null && owner != me) {
            waiters.add(me);
            me.block(this);
            waiters.remove(me);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        owner = me;
        holds++;
    }

    @Override
    public boolean tryLock() {
        sim.switchPoint("tryLock ", name());
        SimThread me = sim.current();
        if (owner != null && owner != me) {
            return false;
        }
        owner = me;
        holds++;
        return true;
    }

    @Override
    public boolean tryLock(long timeout, TimeUnit unit) throws InterruptedException {
        sim.switchPoint("tryLock ", name());
        SimThread me = sim.current();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Alarm alarm = null;
        try {
            while (owner != null && owner != me) {
                if (alarm == null) {
                    alarm = sim.wakeAt(me, unit.toNanos(timeout));
                } else if (alarm.rang()) {
                    return false;
                }
                waiters.add(me);
                me.block(this);
                waiters.remove(me);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        } finally {
            if (alarm != null) {
                alarm.cancel();
            }
        }
        owner = me;
        holds++;
        return true;
    }

    @Override
    public void unlock() {
        SimThread me = sim.current();
        if (owner != me) {
            throw new IllegalMonitorStateException(
                    me + " unlocks " + name() + ", which " + owner + " holds");
        }
        if (--holds == 0) {
            release();
            sim.switchPoint("unlock ", name());
        }
    }

    private void release() {
        owner = null;
        for (SimThread waiter : waiters) {
            waiter.wake();
        }
    }

    @Override
    public Condition newCondition() {
        return newCondition("condition");
    }

    @Override
    public Condition newCondition(String condition) {
        return new SimCondition(name() + "." + condition);
    }

    @Override
    public boolean isHeldByCurrentThread() {
        return owner == sim.current();
    }

    @Override
    public int getHoldCount() {
        return isHeldByCurrentThread() ? holds : 0;
    }

    @Override
    public boolean isLocked() {
        return owner != null;
    }

    /** A condition of the lock; signals go to the one that has waited longest, as the JDK's do. */
    private final class SimCondition implements Condition, SimThread.Waitable {
        private final String name;
        private final List<SimThread> waiting = new ArrayList<>(2);

        SimCondition(String name) {
            this.name = name;
        }

        @Override
        public String describe() {
            return "a signal of " + name;
        }

        private SimThread holder() {
            SimThread me = sim.current();
            if (owner != me) {
                throw new IllegalMonitorStateException(
                        me + " uses " + name + " without holding " + SimLock.this.name());
            }
            return me;
        }

        @Override
        public void await() throws InterruptedException {
            waitFor(Long.MAX_VALUE);
        }

        @Override
        public long awaitNanos(long nanos) throws InterruptedException {
            long end = sim.nanoTime() + nanos;
            waitFor(Math.max(0, nanos));
            return end - sim.nanoTime();
        }

        @Override
        @SuppressWarnings("WaitNotInLoop") // the caller's loop, as of any condition
        public boolean await(long time, TimeUnit unit) throws InterruptedException {
            return awaitNanos(unit.toNanos(time)) > 0;
        }

        @Override
        public boolean awaitUntil(Date deadline) {
            throw new UnsupportedOperationException(
                    "awaitUntil reads the wall clock, which a simulation does not have");
        }

        @Override
        public void awaitUninterruptibly() {
            SimThread me = holder();
            int held = park(me);
            me.blockUninterruptibly(this);
            waiting.remove(me);
            unpark(me, held);
        }

        /** Waits until a signal, an interrupt, or for so long. */
        private void waitFor(long nanos) throws InterruptedException {
            SimThread me = holder();
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            Alarm alarm = nanos == Long.MAX_VALUE ? null : sim.wakeAt(me, nanos);
            int held = park(me);
            me.block(this);
            if (alarm != null) {
                alarm.cancel();
            }
            boolean signalled = !waiting.remove(me);
            boolean interrupted = Thread.interrupted();
            unpark(me, held);
            if (interrupted) {
                if (!signalled) {
                    throw new InterruptedException();
                }
                Thread.currentThread().interrupt();
            }
        }

        private int park(SimThread me) {
            int held = holds;
            waiting.add(me);
            sim.note("wait ", name);
            holds = 0;
            release();
            return held;
        }

        private void unpark(SimThread me, int held) {
            acquire(me);
            holds = held;
        }

        @Override
        public void signal() {
            holder();
            if (!waiting.isEmpty()) {
                waiting.removeFirst().wake();
            }
            sim.switchPoint("signal ", name);
        }

        @Override
        public void signalAll() {
            holder();
            for (SimThread waiter : waiting) {
                waiter.wake();
            }
            waiting.clear();
            sim.switchPoint("signal ", name);
        }
    }
}
