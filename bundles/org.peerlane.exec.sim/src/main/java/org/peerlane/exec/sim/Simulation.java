package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Simulator.Deadlock;
import org.peerlane.exec.api.Simulator.Livelock;
import org.peerlane.exec.api.Simulator.Outcome;
import org.peerlane.exec.api.Simulator.Program;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

/**
 * One schedule.
 *
 * <p>The calling thread carries all threads of the simulation, one at a time. At a switch point the
 * {@link Chooser} picks among those that can run; if it picks the running one, nothing happens.
 * Between two switch points a thread is alone, so that nothing in this package needs a lock.
 *
 * <p>Time is virtual: it stands still while anybody can run, and then jumps to the next alarm.
 *
 * <p>A schedule that fails is left where it is: its threads are never continued, and can be
 * collected, because nothing refers to them.
 */
final class Simulation implements Execution {
    private final long seed;
    private final int stepLimit;
    private final Chooser chooser;
    private final List<SimThread> ready = new ArrayList<>();
    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>();
    private final List<SimThread> threads = new ArrayList<>();
    private final SimCheckpoints checkpoints = new SimCheckpoints(this);
    private final Log log = new Log();
    private @Nullable SimThread current;
    private @Nullable Throwable failure;
    private int chosen = -1;
    private int alive;
    private long now;
    private long alarmsMade;
    private long steps;

    Simulation(long seed, int stepLimit) {
        this.seed = seed;
        this.stepLimit = stepLimit;
        this.chooser = Chooser.of(seed);
    }

    /** Runs the whole schedule. */
    Outcome run(Program program) {
        spawn("main", () -> program.run(this));
        while (failure == null) {
            if (!ready.isEmpty()) {
                step();
            } else if (!ringNextAlarm()) {
                break;
            }
        }
        current = null;
        if (failure == null && alive > 0) {
            failure = new Deadlock(report());
        }
        return new Outcome(seed, failure, steps, now, log);
    }

    private void step() {
        int index = chosen >= 0 ? chosen : chooser.choose(ready);
        chosen = -1;
        SimThread next = ready.get(index);
        SimThread last = ready.removeLast();
        if (last != next) {
            ready.set(index, last);
        }
        current = next;
        next.resume();
    }

    private boolean ringNextAlarm() {
        Alarm alarm = alarms.poll();
        while (alarm != null && alarm.isCancelled()) {
            alarm = alarms.poll();
        }
        if (alarm == null) {
            return false;
        }
        now = Math.max(now, alarm.at);
        current = null;
        alarm.ring();
        return true;
    }

    private String report() {
        var text = new StringBuilder("every thread waits for ever:");
        for (SimThread thread : threads) {
            if (!thread.hasEnded()) {
                SimThread.Waitable what = thread.waitsFor;
                text.append("\n  ")
                        .append(thread.name())
                        .append(" waits for ")
                        .append(
                                what == null
                                        ? "something outside the simulation"
                                        : what.describe());
            }
        }
        return text.toString();
    }

    private SimThread spawn(String name, Body body) {
        var thread = new SimThread(this, threads.size(), name, body);
        threads.add(thread);
        alive++;
        chooser.born(thread);
        thread.begin();
        return thread;
    }

    // ---- called by threads of the simulation

    /** A thread can run. */
    void ready(SimThread thread) {
        ready.add(thread);
    }

    /** A thread has ended. */
    void ended() {
        alive--;
    }

    /** A thread has thrown; the schedule ends when it lets go. */
    void failed(Throwable e) {
        if (failure == null) {
            failure = e;
        }
    }

    /** {@return the running thread} */
    SimThread current() {
        SimThread running = current;
        if (running == null) {
            throw new IllegalStateException(
                    "thread " + Thread.currentThread() + " is not one of this simulation");
        }
        return running;
    }

    /** Notes what the running thread does. */
    void note(String what, String name) {
        log.add(current(), what, name);
    }

    /** The running thread is at a point where another may go on. */
    void switchPoint(String what, String name) {
        SimThread me = current();
        log.add(me, what, name);
        if (++steps > stepLimit) {
            throw new Livelock(
                    "after %d steps the schedule has not ended; %s is at %s%s"
                            .formatted(steps, me, what, name));
        }
        if (ready.isEmpty()) {
            return;
        }
        int index = chooser.choose(ready, me);
        if (index < ready.size()) {
            chosen = index;
            letGo();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // this is the scheduler that others should not rely on
    private static void letGo() {
        Thread.yield();
    }

    /** Wakes a thread after a while, unless the alarm is cancelled before. */
    Alarm wakeAt(SimThread thread, long delayNanos) {
        return alarm(delayNanos, thread::wake);
    }

    private Alarm alarm(long delayNanos, Runnable action) {
        long at = now + Math.max(0, delayNanos);
        var alarm = new Alarm(at < now ? Long.MAX_VALUE : at, alarmsMade++, action);
        alarms.add(alarm);
        return alarm;
    }

    // ---- Execution

    @Override
    public EmulatedThread start(ThreadKind kind, String name, Runnable body) {
        SimThread thread = spawn(name, body::run);
        switchPoint("start ", name);
        return thread;
    }

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        SimThread me = current();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos <= 0) {
            switchPoint("sleep", "");
            return;
        }
        note("sleep", "");
        Alarm alarm = wakeAt(me, nanos);
        me.block(() -> "the time " + alarm.at + " ns");
        alarm.cancel();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    @Override
    public Timer schedule(String name, long delayNanos, Runnable action) {
        return alarm(delayNanos, () -> spawn(name, action::run));
    }

    @Override
    public NamedLock lock(String name) {
        return new SimLock(this, name);
    }

    @Override
    public Checkpoint checkpoint(String name) {
        return checkpoints.of(name);
    }

    @Override
    public Checkpoints checkpoints() {
        return checkpoints;
    }
}
