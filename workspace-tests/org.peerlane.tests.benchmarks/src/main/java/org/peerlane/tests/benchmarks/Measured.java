package org.peerlane.tests.benchmarks;

/**
 * What one benchmark came to.
 *
 * @param nanos time of one operation
 * @param bytes allocated in one operation
 */
record Measured(double nanos, double bytes) {
    Measured {
        if (!(nanos > 0) || !(bytes >= 0)) {
            throw new IllegalArgumentException(
                    "%s ns and %s bytes for one operation are no measurement"
                            .formatted(nanos, bytes));
        }
    }
}
