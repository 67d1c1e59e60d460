package org.peerlane.testkit;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Simulator;

/**
 * Runs a body under many schedules, until one fails. {@link Explore} is the usual way in; this one
 * is for tests that want the failure, such as those of a planted bug. Immutable.
 */
public final class Exploration {
    /** Multiplies the number of schedules. */
    public static final String SCALE = "peerlane.explore.scale";

    private final Simulator simulator = Simulator.find();
    private final long firstSeed;
    private final int schedules;
    private final int stepLimit;

    private Exploration(long firstSeed, int schedules, int stepLimit) {
        if (schedules <= 0) {
            throw new IllegalArgumentException(schedules + " schedules, expected 1 or more");
        }
        this.firstSeed = firstSeed;
        this.schedules = schedules;
        this.stepLimit = stepLimit;
    }

    /** {@return an exploration of the seeds 1 to {@code schedules}} Not scaled. */
    public static Exploration of(int schedules) {
        return new Exploration(1, schedules, Simulator.STEP_LIMIT);
    }

    /** {@return an exploration of one seed} */
    public static Exploration replay(long seed) {
        return new Exploration(seed, 1, Simulator.STEP_LIMIT);
    }

    /** {@return this one, with as many schedules as {@link #SCALE} says; never none} */
    public Exploration scaled() {
        String scale = System.getProperty(SCALE, "1");
        double factor;
        try {
            factor = Double.parseDouble(scale);
        } catch (NumberFormatException e) {
            factor = Double.NaN;
        }
        if (!(factor > 0)) {
            throw new IllegalArgumentException(SCALE + "=" + scale + ", expected a factor above 0");
        }
        int scaled = (int) Math.max(1, Math.min(Integer.MAX_VALUE, schedules * factor));
        return new Exploration(firstSeed, scaled, stepLimit);
    }

    /** {@return this one, with another limit of steps per schedule} */
    public Exploration stepLimit(int steps) {
        return new Exploration(firstSeed, schedules, steps);
    }

    /**
     * Runs the body once per seed, up to the first failure. An aborted assumption ends it at once.
     *
     * @throws TestAbortedException the body's assumption did not hold
     */
    public Result run(Simulator.Body body) {
        long steps = 0;
        for (int i = 0; i < schedules; i++) {
            Schedule schedule = simulator.run(firstSeed + i, stepLimit, body);
            steps += schedule.steps();
            if (schedule.failed()) {
                if (schedule.thrown().orElse(null) instanceof TestAbortedException aborted) {
                    throw aborted;
                }
                return new Result(i + 1, steps, schedule);
            }
        }
        return new Result(schedules, steps, null);
    }

    /**
     * What an exploration found.
     *
     * @param schedules how many schedules ran, the failed one included
     * @param steps how many steps they took together
     * @param failure the schedule that failed; null if none did
     */
    public record Result(int schedules, long steps, @Nullable Schedule failure) {
        private static final int LAST_STEPS = 40;

        /** {@return whether a schedule failed} */
        public boolean found() {
            return failure != null;
        }

        /** {@return the schedule that failed, if one did} */
        public Optional<Schedule> failed() {
            return Optional.ofNullable(failure);
        }

        /**
         * {@return what failed, how to replay it, and the last steps; one line if nothing failed}
         */
        public String report() {
            Schedule failed = failure;
            if (failed == null) {
                return schedules + " schedules of " + steps + " steps passed";
            }
            var log = failed.log();
            StringBuilder text = new StringBuilder();
            text.append("schedule ").append(schedules).append(" failed, seed ");
            text.append(failed.seed()).append(": ").append(failed.verdict()).append('\n');
            text.append(failed.report().stripTrailing()).append('\n');
            text.append("replay: @Explore(seed = ").append(failed.seed());
            text.append("L), or -Dpeerlane.seed=").append(failed.seed()).append('\n');
            int from = Math.max(0, log.size() - LAST_STEPS);
            text.append("last ").append(log.size() - from).append(" of ").append(log.size());
            text.append(" steps:\n");
            log.subList(from, log.size())
                    .forEach(line -> text.append("  ").append(line).append('\n'));
            return text.toString();
        }

        /** Throws an {@link AssertionError} with the {@link #report} if a schedule failed. */
        public void assertPassed() {
            if (failure != null) {
                throw new AssertionError(report(), failure.thrown().orElse(null));
            }
        }
    }
}
