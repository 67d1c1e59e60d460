/** Machines to measure on. Start at {@link Board}. */
@NullMarked
package org.peerlane.tests.benchmarks.machine;

import org.jspecify.annotations.NullMarked;
