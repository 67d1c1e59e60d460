package org.peerlane.exec.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Runs a program under one schedule after another. Found by {@link java.util.ServiceLoader} on the
 * plain class path, where exploration runs.
 */
@ProviderType
public interface Simulator {
    /** Switches after which a schedule counts as a livelock, unless told otherwise. */
    int STEP_LIMIT = 1_000_000;

    /**
     * Runs a program once.
     *
     * <p>All its threads run on the calling thread, one at a time; who goes on at each switch
     * follows from the seed alone.
     *
     * @param seed decides the schedule: the same seed and the same program give the same one
     * @param stepLimit how many switch points a schedule may pass before it counts as a livelock
     * @param program runs as the simulation's first thread, named {@code main}
     */
    Outcome run(long seed, int stepLimit, Program program);

    /** A program to simulate. */
    @FunctionalInterface
    interface Program {
        /**
         * Runs the program.
         *
         * @param execution the simulation
         * @throws Throwable the schedule has failed
         */
        void run(Execution execution) throws Throwable;
    }

    /**
     * How a schedule ended.
     *
     * @param seed what it was run with
     * @param failure why it failed; null: it passed
     * @param steps how many switch points were passed
     * @param virtualNanos how much time passed inside
     * @param log what each thread passed, in order: {@code thread: point}
     */
    record Outcome(
            long seed,
            @Nullable Throwable failure,
            long steps,
            long virtualNanos,
            List<String> log) {

        /** {@return whether the schedule passed} */
        public boolean passed() {
            return failure == null;
        }
    }

    /** Every thread of a schedule waits, and nobody is left who could end that. */
    final class Deadlock extends RuntimeException {
        @java.io.Serial private static final long serialVersionUID = 1;

        /**
         * @param report one line a thread: who waits for what, and who holds it
         */
        public Deadlock(String report) {
            super(report);
        }
    }

    /** A schedule passed more switch points than it may. */
    final class Livelock extends RuntimeException {
        @java.io.Serial private static final long serialVersionUID = 1;

        /**
         * @param report what the threads were at
         */
        public Livelock(String report) {
            super(report);
        }
    }
}
