package org.peerlane.exec.sim;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Timer;

/** The one thread that runs due timers, made with the first timer. */
final class TimerThread {
    private final Scheduler scheduler;
    private final ArrayDeque<SimTimer> due = new ArrayDeque<>();
    private @Nullable SimThread thread;

    TimerThread(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    Timer schedule(String name, long delayNanos, Runnable action) {
        scheduler.me();
        if (thread == null) {
            thread = scheduler.startDaemon("timers", this::run);
        }
        SimTimer timer =
                new SimTimer(
                        scheduler,
                        scheduler.deadline(Math.max(0, delayNanos)),
                        scheduler.nextOrder(),
                        name,
                        action);
        scheduler.set(timer);
        return timer;
    }

    /** A timer's time has come. */
    void expired(SimTimer timer) {
        due.add(timer);
        if (thread != null && thread.waitsFor == OtherWait.TIMERS) {
            scheduler.wake(thread, SimThread.Woken.PLAINLY);
        }
    }

    private void run() {
        SimThread me = scheduler.me();
        while (true) {
            SimTimer timer = due.poll();
            if (timer == null) {
                scheduler.block(me, OtherWait.TIMERS, null, false, Long.MAX_VALUE);
            } else if (timer.begin()) {
                scheduler.busy(+1);
                scheduler.point("timer", timer.name);
                timer.action.run();
                scheduler.busy(-1);
            }
        }
    }
}
