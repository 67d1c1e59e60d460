package org.peerlane.exec.sim;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.EmulatedThread;

/**
 * A thread of one schedule: a virtual thread that the scheduler resumes by running its task.
 *
 * <p><b>State.</b> Runnable ({@link #index} is its place among the runnable), waiting ({@link
 * #waitsFor} says what for), or ended. Only the scheduler changes it, on the one carrier.
 */
final class SimThread implements EmulatedThread, Runnable {
    /** How a wait ended. */
    enum Woken {
        PLAINLY,
        SIGNALLED,
        TIMED_OUT,
        INTERRUPTED
    }

    /** What a thread runs; may throw anything. */
    @FunctionalInterface
    interface Body {
        void run() throws Throwable;
    }

    final Scheduler scheduler;
    final Thread thread;
    private final String name;
    private final Body body;
    private final WaitList joiners = new WaitList();
    private @Nullable Throwable failure;

    Runnable task = () -> {}; // resumes it; the JDK hands it over when the thread starts
    boolean submitted; // in its last turn it asked to go on: it yielded rather than parked
    int index = -1;
    boolean ended;
    long priority;

    @Nullable Object waitsFor;
    @Nullable WaitList list; // where it waits; null for a sleep
    Alarm.@Nullable Wake alarm;
    boolean interruptible;
    Woken woken = Woken.PLAINLY;

    SimThread(Scheduler scheduler, Thread.Builder.OfVirtual builder, String name, Body body) {
        this.scheduler = scheduler;
        this.name = name;
        this.body = body;
        thread = builder.name(name).unstarted(this);
    }

    @Override
    public void run() {
        try {
            body.run();
        } catch (Throwable e) {
            failure = e;
            scheduler.uncaught(this, e);
        } finally {
            scheduler.ended(this);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the JDK keeps one task object per thread
    boolean isResumedBy(Runnable submittedTask) {
        return task == submittedTask;
    }

    WaitList joiners() {
        return joiners;
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
        scheduler.interrupt(this);
    }

    @Override
    public void join() throws InterruptedException {
        join(Long.MAX_VALUE);
    }

    @Override
    public boolean join(long timeoutNanos) throws InterruptedException {
        SimThread me = scheduler.me();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        scheduler.passed(me, "join", this);
        long deadline = scheduler.deadline(timeoutNanos);
        while (!ended && scheduler.now() < deadline) {
            scheduler.block(me, this, joiners, true, deadline);
            if (me.woken == Woken.INTERRUPTED) {
                Thread.interrupted();
                throw new InterruptedException();
            }
        }
        return ended;
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
