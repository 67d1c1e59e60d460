package org.peerlane.exec.api;

import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** A schedule that a {@link Simulator} has run. Immutable. */
@ProviderType
public interface Schedule {
    /** How a schedule ended. */
    enum Verdict {
        /** Every thread ended. */
        PASSED,
        /** A thread threw something that nobody caught. */
        THROWN,
        /** Every thread that was left was blocked for ever. */
        DEADLOCK,
        /** It took more steps than its limit. */
        LIVELOCK,
        /** A thread waited for something the simulation cannot order, such as real time. */
        UNCONTROLLED
    }

    /** {@return the seed that replays it} */
    long seed();

    /** {@return how it ended} */
    Verdict verdict();

    /** {@return whether it failed} */
    default boolean failed() {
        return verdict() != Verdict.PASSED;
    }

    /** {@return how many switch points its threads passed} */
    long steps();

    /** {@return the virtual time it took, in nanoseconds} */
    long elapsedNanos();

    /** {@return what was thrown, if it ended that way} */
    Optional<Throwable> thrown();

    /**
     * {@return what went wrong, several lines: for a deadlock who waits for what; empty if passed}
     */
    String report();

    /** {@return the steps, one line each: the thread and the point it passed} */
    List<String> log();
}
