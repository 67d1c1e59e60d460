/**
 * Measures what the platform's speed rests on and prints each figure beside its budget. A benchmark
 * is a JMH method with a {@link org.peerlane.tests.benchmarks.Budget}; its subject has a package of
 * its own here. Start at {@link org.peerlane.tests.benchmarks.Bench}.
 */
@NullMarked
package org.peerlane.tests.benchmarks;

import org.jspecify.annotations.NullMarked;
