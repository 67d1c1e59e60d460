package org.peerlane.exec.sim;

/** Something that is due at a virtual time; ties go in the order they were set. */
abstract sealed class Alarm implements Comparable<Alarm> permits SimTimer, Alarm.Wake {
    final long due;
    private final long order;
    boolean off;

    Alarm(long due, long order) {
        this.due = due;
        this.order = order;
    }

    @Override
    public final int compareTo(Alarm other) {
        int byTime = Long.compare(due, other.due);
        return byTime != 0 ? byTime : Long.compare(order, other.order);
    }

    /** Ends a thread's timed wait. */
    static final class Wake extends Alarm {
        final SimThread thread;

        Wake(long due, long order, SimThread thread) {
            super(due, order);
            this.thread = thread;
        }
    }
}
