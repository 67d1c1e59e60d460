/** What execution costs: schedules per second, and checkpoints that nobody armed. */
@NullMarked
package org.peerlane.tests.benchmarks.exec;

import org.jspecify.annotations.NullMarked;
