/**
 * Execution under a deterministic scheduler. {@link org.peerlane.exec.sim.Simulation} is one
 * schedule: every emulated thread is a virtual thread whose scheduler hands its continuation to the
 * simulation's one loop, which a seed drives. {@link org.peerlane.exec.sim.SimThread} is a thread
 * and what it waits for, {@link org.peerlane.exec.sim.SimLock} a lock whose owner and waiters are
 * known, {@link org.peerlane.exec.sim.Chooser} decides who goes on.
 *
 * <p>Needs {@code --add-opens java.base/java.lang=ALL-UNNAMED}, because the JDK has no public way
 * to give a virtual thread a scheduler, and wants {@code -Djdk.trackAllThreads=false}, so that
 * threads of a schedule that ended in a deadlock can be collected.
 */
@NullMarked
package org.peerlane.exec.sim;

import org.jspecify.annotations.NullMarked;
