package org.peerlane.exec.sim;

import org.peerlane.exec.api.Timer;

/** Something that is due at a point of virtual time. */
final class Alarm implements Comparable<Alarm>, Timer {
    final long at;
    private final long order;
    private final Runnable action;
    private boolean rang;
    private boolean cancelled;

    /**
     * @param at virtual time
     * @param order breaks ties: first come, first rung
     */
    Alarm(long at, long order, Runnable action) {
        this.at = at;
        this.order = order;
        this.action = action;
    }

    void ring() {
        if (!cancelled) {
            rang = true;
            action.run();
        }
    }

    boolean rang() {
        return rang;
    }

    boolean isCancelled() {
        return cancelled;
    }

    @Override
    public boolean cancel() {
        if (rang || cancelled) {
            return false;
        }
        cancelled = true;
        return true;
    }

    @Override
    public int compareTo(Alarm other) {
        int byTime = Long.compare(at, other.at);
        return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
}
