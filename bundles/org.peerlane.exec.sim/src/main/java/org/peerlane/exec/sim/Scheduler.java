package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Schedule.Verdict;
import org.peerlane.exec.api.Simulator;

/**
 * Runs one schedule. Its threads are virtual threads that submit themselves to this executor; it
 * keeps the task of each and runs the one that the {@link Strategy} chose, on the thread that
 * called {@link #run}. So one thread runs at a time, and none of the state here or in locks needs a
 * lock of its own.
 *
 * <p>A thread that waits has simply yielded to the carrier and is not among the runnable: no JDK
 * park and no JDK queue is involved. Threads that do park in the JDK are seen too (see {@link
 * JdkWaits}), but not on virtual time.
 *
 * <p><b>Time.</b> Each step costs {@value #STEP_NANOS} ns; when nothing is runnable time jumps to
 * the next alarm.
 *
 * <p><b>Cost.</b> A step that goes on with the same thread is a few stores; a switch is one yield
 * of a continuation. No allocation per step beyond the growth of the trail.
 */
final class Scheduler implements Executor {
    static final long STEP_NANOS = 1_000;
    private static final long NEVER = Long.MAX_VALUE;

    private final Thread carrier = Thread.currentThread();
    private final Thread.Builder.OfVirtual builder = VirtualThreads.scheduledBy(this);
    private final long seed;
    private final int stepLimit;
    private final Strategy strategy;
    private final Trail trail = new Trail();
    private final TimerThread timers = new TimerThread(this);
    private final JdkWaits jdkWaits = new JdkWaits(this);

    private final List<SimThread> threads = new ArrayList<>(8); // those that have not ended
    private SimThread[] runnable = new SimThread[8];
    private int count; // of runnable
    private int busy; // threads and timer actions that must end before the schedule has
    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>();
    private long nextDue = NEVER;
    private long orders;
    private long now;
    private int steps;

    private @Nullable SimThread starting;
    private @Nullable SimThread running;
    private @Nullable SimThread next;

    private @Nullable Verdict failed;
    private @Nullable Throwable cause;
    private String report = "";

    Scheduler(long seed, int stepLimit) {
        this.seed = seed;
        this.stepLimit = stepLimit;
        strategy = Strategy.of(new Random64(seed));
    }

    Schedule run(Simulator.Body body) {
        SimExecution execution = new SimExecution(this, timers);
        start("main", () -> body.run(execution));
        while (failed == null) {
            SimThread turn = next != null ? next : pick();
            next = null;
            if (turn != null) {
                resume(turn);
            } else if (busy == 0) {
                break;
            } else if (!jdkWaits.wokenFromOutside()) {
                fail(Verdict.DEADLOCK, WaitReport.of(threads), null);
            }
        }
        running = null;
        Verdict verdict = failed == null ? Verdict.PASSED : failed;
        return new Ran(seed, verdict, steps, now, cause, report, trail);
    }

    private void resume(SimThread turn) {
        running = turn;
        turn.submitted = false;
        turn.task.run();
        if (turn.ended || next != null || failed != null) {
            return;
        }
        if (!turn.submitted) {
            jdkWaits.parked(turn);
        } else if (turn.index >= 0) { // a bare Thread.yield
            passed(turn, "yield", "");
            strategy.yielded(turn);
        }
    }

    /** Called by the JDK when a thread starts, has yielded, or is unparked. */
    @Override
    public void execute(Runnable task) {
        Thread caller = Thread.currentThread();
        SimThread turn = running;
        if (caller != carrier && (turn == null || turn.thread != caller)) {
            jdkWaits.unparkedFromOutside(task, carrier);
        } else if (starting != null) {
            starting.task = task;
            starting = null;
        } else if (turn != null && turn.isResumedBy(task)) {
            turn.submitted = true;
        } else {
            jdkWaits.unparked(task);
        }
    }

    // ---- threads

    SimThread start(String name, SimThread.Body body) {
        busy++;
        return startDaemon(name, body);
    }

    /** Starts a thread that may be left waiting when the schedule is over. */
    SimThread startDaemon(String name, SimThread.Body body) {
        SimThread thread = new SimThread(this, builder, name, body);
        starting = thread;
        thread.thread.start();
        threads.add(thread);
        strategy.started(thread);
        addRunnable(thread);
        return thread;
    }

    void ended(SimThread thread) {
        trail.add(thread, "end", "");
        thread.ended = true;
        busy--;
        threads.remove(thread);
        if (thread.index >= 0) {
            removeRunnable(thread);
        }
        WaitList joiners = thread.joiners();
        for (SimThread joiner = joiners.poll(); joiner != null; joiner = joiners.poll()) {
            wake(joiner, SimThread.Woken.PLAINLY);
        }
    }

    void uncaught(SimThread thread, Throwable e) {
        fail(Verdict.THROWN, "thread " + thread + " threw " + e, e);
    }

    void interrupt(SimThread thread) {
        SimThread me = me();
        if (!thread.ended) {
            thread.thread.interrupt();
            if (thread.waitsFor != null && thread.interruptible) {
                wake(thread, SimThread.Woken.INTERRUPTED);
            }
        }
        passed(me, "interrupt", thread);
        maybeSwitch(me);
    }

    /** {@return the calling thread, which must be one of this schedule's} */
    SimThread me() {
        SimThread me = running;
        if (me == null || me.thread != Thread.currentThread()) {
            throw new IllegalStateException(
                    Thread.currentThread() + " is no thread of the running simulation");
        }
        return me;
    }

    List<SimThread> threads() {
        return threads;
    }

    /** Counts work that must end before the schedule has. */
    void busy(int change) {
        busy += change;
    }

    // ---- steps

    /** A switch point: the scheduler decides who goes on. */
    void point(String what, Object where) {
        SimThread me = me();
        passed(me, what, where);
        maybeSwitch(me);
    }

    /** Counts a step; no switch. */
    void passed(SimThread me, String what, Object where) {
        trail.add(me, what, where);
        now += STEP_NANOS;
        if (now >= nextDue) {
            expire();
        }
        if (++steps > stepLimit && failed == null) {
            fail(
                    Verdict.LIVELOCK,
                    "livelock: "
                            + stepLimit
                            + " steps and no end, "
                            + me
                            + " is running"
                            + WaitReport.place(me),
                    null);
            if (Thread.currentThread() != carrier) {
                yieldToCarrier();
            }
        }
    }

    void maybeSwitch(SimThread me) {
        if (count > 1) {
            SimThread chosen = strategy.choose(runnable, count, me);
            if (chosen != me) {
                next = chosen;
                yieldToCarrier();
                next = null; // still set if a native frame on the stack pins the thread: it goes on
            }
        }
    }

    /** The thread waits for others in a loop: lets them run. */
    void giveWay(SimThread me) {
        passed(me, "yield", "");
        strategy.yielded(me);
        maybeSwitch(me);
    }

    /**
     * Waits until somebody wakes the thread; {@link SimThread#woken} says how it ended.
     *
     * @param list where wakers find it; null if only time and interrupts do
     */
    void block(
            SimThread me,
            Object on,
            @Nullable WaitList list,
            boolean interruptible,
            long deadline) {
        if (interruptible && me.thread.isInterrupted()) { // it came at the switch point before
            me.woken = SimThread.Woken.INTERRUPTED;
            return;
        }
        me.waitsFor = on;
        me.list = list;
        me.interruptible = interruptible;
        me.woken = SimThread.Woken.PLAINLY;
        if (list != null) {
            list.add(me);
        }
        if (deadline != NEVER) {
            me.alarm = new Alarm.Wake(deadline, nextOrder(), me);
            set(me.alarm);
        }
        removeRunnable(me);
        SimThread chosen = pick();
        if (chosen == me) {
            return;
        }
        next = chosen;
        yieldToCarrier();
        if (me.waitsFor != null) { // not switched
            wake(me, SimThread.Woken.PLAINLY);
            throw new IllegalStateException(
                    me + " cannot wait for " + on + ": a native frame pins it to the carrier");
        }
    }

    void wake(SimThread thread, SimThread.Woken how) {
        leave(thread);
        thread.waitsFor = null;
        thread.woken = how;
        addRunnable(thread);
    }

    /** A signalled thread goes on to wait for the lock. */
    void moveTo(SimThread thread, SimLock lock, WaitList list) {
        leave(thread);
        thread.waitsFor = lock;
        thread.list = list;
        thread.interruptible = false;
        thread.woken = SimThread.Woken.SIGNALLED;
        list.add(thread);
    }

    private static void leave(SimThread thread) {
        if (thread.list != null) {
            thread.list.remove(thread);
            thread.list = null;
        }
        if (thread.alarm != null) {
            thread.alarm.off = true;
            thread.alarm = null;
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // the one way back to our own carrier loop
    private void yieldToCarrier() {
        Thread.yield();
    }

    private @Nullable SimThread pick() {
        while (count == 0) {
            dropDeadAlarms();
            if (busy == 0 || nextDue == NEVER) {
                return null;
            }
            now = Math.max(now, nextDue);
            expire();
        }
        return count == 1 ? runnable[0] : strategy.choose(runnable, count, null);
    }

    void addRunnable(SimThread thread) {
        if (count == runnable.length) {
            runnable = Arrays.copyOf(runnable, 2 * count);
        }
        thread.index = count;
        runnable[count++] = thread;
    }

    void removeRunnable(SimThread thread) {
        SimThread last = runnable[--count];
        runnable[thread.index] = last;
        last.index = thread.index;
        thread.index = -1;
    }

    // ---- time

    long now() {
        return now;
    }

    /** {@return the time {@code nanos} from now; past the end of time, never} */
    long deadline(long nanos) {
        return nanos >= NEVER - now ? NEVER : now + nanos;
    }

    long nextOrder() {
        return orders++;
    }

    void set(Alarm alarm) {
        alarms.add(alarm);
        nextDue = Math.min(nextDue, alarm.due);
    }

    private void expire() {
        while (true) {
            dropDeadAlarms();
            if (now < nextDue || nextDue == NEVER) {
                return;
            }
            switch (alarms.remove()) {
                case Alarm.Wake wake -> wake(wake.thread, SimThread.Woken.TIMED_OUT);
                case SimTimer timer -> timers.expired(timer);
            }
        }
    }

    private void dropDeadAlarms() {
        Alarm head = alarms.peek();
        while (head != null && head.off) {
            alarms.remove();
            head = alarms.peek();
        }
        nextDue = head == null ? NEVER : head.due;
    }

    // ---- failure

    /** Ends the schedule; the first failure counts. */
    void fail(Verdict verdict, String text, @Nullable Throwable e) {
        if (failed == null) {
            failed = verdict;
            report = text;
            cause = e;
        }
    }
}
