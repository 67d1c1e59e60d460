/** Keeps the last trace events in memory, for the shell to show. */
@NullMarked
package org.peerlane.trace.ring;

import org.jspecify.annotations.NullMarked;
