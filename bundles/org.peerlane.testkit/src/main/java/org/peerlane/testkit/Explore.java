package org.peerlane.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;
import org.peerlane.exec.api.Simulator;

/**
 * A test whose body runs under simulation, once per schedule, as the thread {@code main}. It takes
 * one {@link org.peerlane.exec.api.Execution} and makes its objects under test inside, since the
 * test instance and what {@code @BeforeEach} made are the same for all schedules.
 *
 * <p>A schedule passes when all its threads have ended. One that is left waiting when {@code main}
 * has returned fails it, so a test stops the engines that it started; pending timers are dropped.
 *
 * <p>The first schedule that fails fails the test; the message names the seed, who waits for what,
 * and the last steps. The schedules are always those of the seeds from 1 up. JVM properties:
 *
 * <ul>
 *   <li>{@code peerlane.explore.scale}: multiplies the number of schedules, 0.1 for a quick check,
 *       10 for a nightly run;
 *   <li>{@code peerlane.seed}: runs that one schedule and no other.
 * </ul>
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(ExploreExtension.class)
public @interface Explore {
    /** No seed is given. */
    long NO_SEED = Long.MIN_VALUE;

    /** {@return how many schedules to run} */
    int schedules() default 1_000;

    /** {@return the one seed to replay} */
    long seed() default NO_SEED;

    /** {@return the steps after which a schedule counts as a livelock} */
    int stepLimit() default Simulator.STEP_LIMIT;
}
