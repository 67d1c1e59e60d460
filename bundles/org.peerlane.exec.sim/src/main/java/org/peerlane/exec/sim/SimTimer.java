package org.peerlane.exec.sim;

import org.peerlane.exec.api.Timer;

/** One scheduled action; the timer thread runs it once it is due. */
final class SimTimer extends Alarm implements Timer {
    final String name;
    final Runnable action;
    private final Scheduler scheduler;
    private boolean begun;

    SimTimer(Scheduler scheduler, long due, long order, String name, Runnable action) {
        super(due, order);
        this.scheduler = scheduler;
        this.name = name;
        this.action = action;
    }

    @Override
    public boolean cancel() {
        scheduler.point("cancel", name);
        if (begun || off) {
            return false;
        }
        off = true;
        return true;
    }

    /** {@return whether the action is to run now} */
    boolean begin() {
        if (off) {
            return false;
        }
        begun = true;
        return true;
    }
}
