/**
 * Deterministic schedules on one carrier and virtual time. Needs {@code
 * --add-opens=java.base/java.lang=ALL-UNNAMED}, and {@code -Djdk.trackAllThreads=false} so that the
 * threads of a failed schedule can be collected. Start at ScheduleSimulator, then Scheduler.
 */
@NullMarked
package org.peerlane.exec.sim;

import org.jspecify.annotations.NullMarked;
