/** What the bus costs per transaction, beside the bare copy. Start at {@link BusBenchmark}. */
@NullMarked
package org.peerlane.tests.benchmarks.bus;

import org.jspecify.annotations.NullMarked;
