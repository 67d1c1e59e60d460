package org.peerlane.testkit;

import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Simulator;
import org.peerlane.exec.api.Simulator.Outcome;
import org.peerlane.exec.api.Simulator.Program;

/**
 * Runs a program under schedule after schedule until one fails: what {@link Explore} does, for
 * tests that expect a failure.
 */
public final class Exploration {
    private static final int LAST_POINTS = 60;

    private final long first;
    private final int schedules;
    private final int stepLimit;

    private Exploration(long first, int schedules, int stepLimit) {
        this.first = first;
        this.schedules = schedules;
        this.stepLimit = stepLimit;
    }

    /**
     * {@return an exploration of the seeds from 0 on}
     *
     * @param schedules how many, before {@code peerlane.explore.scale}
     */
    public static Exploration of(int schedules) {
        double scale = Double.parseDouble(System.getProperty("peerlane.explore.scale", "1"));
        return new Exploration(0, Math.max(1, (int) (schedules * scale)), Simulator.STEP_LIMIT);
    }

    /** {@return the replay of one seed} */
    public static Exploration ofSeed(long seed) {
        return new Exploration(seed, 1, Simulator.STEP_LIMIT);
    }

    /** {@return the same, with another limit for livelocks} */
    public Exploration stepLimit(int limit) {
        return new Exploration(first, schedules, limit);
    }

    /** Runs the program under each seed, up to the first that fails. */
    public Result run(Program program) {
        Simulator simulator =
                ServiceLoader.load(Simulator.class, Exploration.class.getClassLoader())
                        .findFirst()
                        .orElseThrow(() ->
                                new IllegalStateException(
                                        "no Simulator on the class path; add"
                                                + " org.peerlane.exec.sim"));
        for (int i = 0; i < schedules; i++) {
            Outcome outcome = simulator.run(first + i, stepLimit, program);
            if (!outcome.passed()) {
                return new Result(i + 1, outcome);
            }
        }
        return new Result(schedules, null);
    }

    /**
     * How an exploration ended.
     *
     * @param schedules how many were run
     * @param failed the one that failed, the last; null: none did
     */
    public record Result(int schedules, @Nullable Outcome failed) {

        /** {@return whether every schedule passed} */
        public boolean passed() {
            return failed == null;
        }

        /**
         * {@return the failure in words: seed, how to run it again, what threw, the last points}
         */
        public String report() {
            Outcome outcome = failed;
            if (outcome == null) {
                return schedules + " schedules passed";
            }
            List<String> log = outcome.log();
            List<String> last = log.subList(Math.max(0, log.size() - LAST_POINTS), log.size());
            return "schedule %d of seed %d failed: %s%nrun it again with @Explore(seed = %d)%npassed, the last %d of %d points:%n  %s"
                    .formatted(
                            schedules,
                            outcome.seed(),
                            outcome.failure(),
                            outcome.seed(),
                            last.size(),
                            log.size(),
                            String.join(System.lineSeparator() + "  ", last));
        }

        /**
         * @throws AssertionError a schedule failed; its cause is what failed there
         */
        public void assertPassed() {
            Outcome outcome = failed;
            if (outcome != null) {
                throw new AssertionError(report(), outcome.failure());
            }
        }
    }
}
