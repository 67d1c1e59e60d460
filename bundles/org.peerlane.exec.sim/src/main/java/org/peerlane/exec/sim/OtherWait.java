package org.peerlane.exec.sim;

/** What a thread waits for when it is no lock, condition or thread. */
enum OtherWait {
    /** Its deadline. */
    TIME("time to pass"),
    /** The timer thread's rest between timers: no deadlock report names it. */
    TIMERS("the next timer"),
    /** A queue, latch, monitor or the like, which we see only from outside. */
    JDK("something in the JDK");

    private final String text;

    OtherWait(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
