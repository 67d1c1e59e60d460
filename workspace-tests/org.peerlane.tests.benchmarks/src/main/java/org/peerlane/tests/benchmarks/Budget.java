package org.peerlane.tests.benchmarks;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a JMH benchmark a figure of the report, and says what it may cost. A benchmark without it
 * is measured only if another one is held {@link #against} it.
 *
 * <p>Each limit that is set gives one row; a benchmark with no limit is there for information. All
 * benchmarks are measured as average time, so a limit is of nanoseconds in one operation, however
 * it is written.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Budget {
    /** What a limit has that is not set. */
    double NONE = -1;

    /** {@return the figure's name in the report, such as {@code trace.off}: unique} */
    String name();

    /** {@return the benchmark method of the same class that this one is compared with, if any} */
    String against() default "";

    /** {@return the most that its time may be of the other's time: 1.25 is a quarter more} */
    double atMostRatio() default NONE;

    /** {@return how many times faster than the other it must be at least} */
    double atLeastTimesFaster() default NONE;

    /** {@return the most nanoseconds that it may take longer than the other} */
    double atMostExtraNanos() default NONE;

    /** {@return the most nanoseconds that it may take} */
    double atMostNanos() default NONE;

    /** {@return how many operations a second it must do at least} */
    double atLeastPerSecond() default NONE;

    /** {@return the most bytes that an operation may allocate; more than the other, if any} */
    double maxBytesPerOp() default NONE;
}
