package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.EmulatedThread;

/**
 * A thread of a simulation, and what it waits for. It is its own virtual thread's scheduler: a
 * continuation that may run is put into the simulation's ready list.
 */
final class SimThread implements EmulatedThread, Executor {
    final Simulation sim;
    final int id;
    private final String name;
    private final Thread thread;
    private final List<SimThread> joiners = new ArrayList<>(0);
    private @Nullable Throwable failure;

    /** What goes on when the thread is chosen; the same object for the thread's whole life. */
    private @Nullable Runnable continuation;

    /** For {@link Chooser}. */
    long priority;

    /** What it waits for, for reports; null: it does not wait. */
    @Nullable Waitable waitsFor;

    /** Whether what it waited for was given to it; set by whoever wakes it. */
    boolean woken;

    private boolean ended;

    /** Something that threads wait for and that can say so in a report. */
    interface Waitable {
        /** {@return what is waited for, and who could end that} */
        String describe();
    }

    SimThread(Simulation sim, int id, String name, Body body) {
        this.sim = sim;
        this.id = id;
        this.name = name;
        this.thread = Carrier.unstarted(this, () -> runBody(body));
    }

    void begin() {
        thread.start();
    }

    private void runBody(Body body) {
        try {
            body.run();
        } catch (Throwable e) {
            failure = e;
            sim.failed(e);
        } finally {
            ended = true;
            sim.ended();
            for (SimThread joiner : joiners) {
                joiner.wake();
            }
        }
    }

    /** Goes on until the next switch point. The caller is the simulation's loop. */
    void resume() {
        Runnable next = continuation;
        if (next == null) {
            throw new IllegalStateException(name + " is ready without a continuation");
        }
        next.run();
    }

    @Override
    public void execute(Runnable task) {
        continuation = task;
        sim.ready(this);
    }

    /**
     * Waits until {@link #wake}. The caller is this thread, and looks again at what it waits for.
     */
    void block(Waitable waitable) {
        waitsFor = waitable;
        woken = false;
        while (!woken) {
            LockSupport.park(waitable);
            if (thread.isInterrupted()) {
                break;
            }
        }
        waitsFor = null;
    }

    /** As {@link #block}, but an interrupt does not end it. */
    void blockUninterruptibly(Waitable waitable) {
        boolean interrupted = false;
        waitsFor = waitable;
        woken = false;
        while (!woken) {
            LockSupport.park(waitable);
            if (!woken && Thread.interrupted()) {
                interrupted = true;
            }
        }
        waitsFor = null;
        if (interrupted) {
            thread.interrupt();
        }
    }

    /** Ends the wait of {@link #block}. */
    void wake() {
        if (!woken) {
            woken = true;
            LockSupport.unpark(thread);
        }
    }

    boolean hasEnded() {
        return ended;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isAlive() {
        return !ended;
    }

    @Override
    public void interrupt() {
        thread.interrupt();
        sim.switchPoint("interrupt ", name);
    }

    @Override
    public void join() throws InterruptedException {
        join(Long.MAX_VALUE);
    }

    @Override
    public boolean join(long timeoutNanos) throws InterruptedException {
        sim.switchPoint("join ", name);
        SimThread me = sim.current();
        Alarm alarm = timeoutNanos == Long.MAX_VALUE ? null : sim.wakeAt(me, timeoutNanos);
        try {
            while (!ended) {
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (alarm != null && alarm.rang()) {
                    return false;
                }
                joiners.add(me);
                try {
                    me.block(() -> "the end of " + name);
                } finally {
                    joiners.remove(me);
                }
            }
            return true;
        } finally {
            if (alarm != null) {
                alarm.cancel();
            }
        }
    }

    @Override
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public String toString() {
        return name;
    }
}
