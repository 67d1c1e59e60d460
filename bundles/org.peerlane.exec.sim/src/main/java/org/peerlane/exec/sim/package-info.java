/** Deterministic schedules on one carrier and virtual time. */
@NullMarked
package org.peerlane.exec.sim;

import org.jspecify.annotations.NullMarked;
