package org.peerlane.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.peerlane.exec.api.Simulator;

/**
 * A test that runs under simulation, once for each seed. The method takes one parameter, an {@link
 * org.peerlane.exec.api.Execution}, makes what it tests with it, and is itself the schedule's first
 * thread. Fields of the test's instance are shared by all schedules: keep none.
 *
 * <p>The test fails at the first schedule that throws, deadlocks, or does not end; the message has
 * the seed. {@code @Explore(seed = …)} runs that schedule alone.
 *
 * <p>The system property {@code peerlane.explore.scale} multiplies the number of schedules, for a
 * long run (10) or a short one (0.1).
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Test
@ExtendWith(ExploreExtension.class)
public @interface Explore {
    /** {@return how many schedules to run} */
    int schedules() default 10_000;

    /** {@return the one seed to run; -1: seeds 0, 1, 2 and so on} */
    long seed() default -1;

    /** {@return switch points that a schedule may pass before it counts as a livelock} */
    int stepLimit() default Simulator.STEP_LIMIT;
}
