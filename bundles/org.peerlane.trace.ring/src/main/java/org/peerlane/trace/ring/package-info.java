/** Keeps the last trace events in memory. */
@NullMarked
package org.peerlane.trace.ring;

import org.jspecify.annotations.NullMarked;
