package org.peerlane.exec.sim;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Schedule.Verdict;

/**
 * Threads that wait in the JDK rather than in a lock of the execution: a latch, a queue, a monitor.
 * One that another thread of the schedule unparks stays deterministic. A wait on real time is a
 * failure of the schedule. A contended monitor, or a lock shared with threads outside (a log
 * appender's), is waited for a moment.
 */
final class JdkWaits {
    private static final long MONITOR_NANOS = 1_000_000_000;
    private static final long OUTSIDE_NANOS = 50_000_000;

    private final Scheduler scheduler;
    private final ConcurrentLinkedQueue<Runnable> outside = new ConcurrentLinkedQueue<>();
    private int waiting;

    JdkWaits(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** A thread gave up the carrier without asking to go on. */
    void parked(SimThread thread) {
        scheduler.removeRunnable(thread);
        thread.waitsFor = OtherWait.JDK;
        thread.interruptible = false; // the JDK unparks it on an interrupt
        waiting++;
        switch (thread.thread.getState()) {
            case TIMED_WAITING ->
                    fail(
                            thread,
                            " waits on real time; use the execution's sleep, locks and timers");
            case WAITING -> {}
            default -> { // monitor, or already unparked by a thread outside
                long end = System.nanoTime() + MONITOR_NANOS;
                while (thread.waitsFor != null && !drain()) {
                    if (System.nanoTime() > end) {
                        fail(thread, " contends for a monitor whose owner was switched out");
                        return;
                    }
                    LockSupport.parkNanos(this, 100_000);
                }
            }
        }
    }

    private void fail(SimThread thread, String what) {
        String text = "thread " + thread + what + WaitReport.place(thread);
        scheduler.fail(Verdict.UNCONTROLLED, text, null);
    }

    /** A thread of the schedule, or the carrier, unparks another. */
    void unparked(Runnable task) {
        SimThread thread = find(task);
        if (thread != null && thread.waitsFor == OtherWait.JDK) {
            waiting--;
            scheduler.wake(thread, SimThread.Woken.PLAINLY);
        }
    }

    /** A thread outside the schedule unparks one of it. */
    void unparkedFromOutside(Runnable task, Thread carrier) {
        outside.add(task);
        LockSupport.unpark(carrier);
    }

    /** Nothing can run: {@return whether a thread outside has changed that, within a moment} */
    boolean wokenFromOutside() {
        long end = System.nanoTime() + OUTSIDE_NANOS;
        while (!drain()) {
            if (waiting == 0 || System.nanoTime() > end) {
                return false;
            }
            LockSupport.parkNanos(this, 1_000_000);
        }
        return true;
    }

    private boolean drain() {
        boolean any = false;
        for (Runnable task = outside.poll(); task != null; task = outside.poll()) {
            unparked(task);
            any = true;
        }
        return any;
    }

    private @Nullable SimThread find(Runnable task) {
        for (SimThread thread : scheduler.threads()) {
            if (thread.isResumedBy(task)) {
                return thread;
            }
        }
        return null;
    }
}
