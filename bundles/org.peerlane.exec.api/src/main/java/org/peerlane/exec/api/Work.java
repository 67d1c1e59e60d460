package org.peerlane.exec.api;

/**
 * What an execution has not finished.
 *
 * @param owner the bundle whose execution it is
 * @param kind of it
 * @param name as it was started with
 */
public record Work(String owner, Kind kind, String name) {
    /** What it may be. */
    public enum Kind {
        /** A thread that has not ended. */
        THREAD,
        /** A timer that has neither fired to its end nor been cancelled. */
        TIMER
    }

    @Override
    public String toString() {
        return owner + " " + (kind == Kind.THREAD ? "thread " : "timer ") + name;
    }
}
