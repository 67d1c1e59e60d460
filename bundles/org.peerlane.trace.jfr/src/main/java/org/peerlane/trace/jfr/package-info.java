/** Writes trace events to Java Flight Recorder. */
@NullMarked
package org.peerlane.trace.jfr;

import org.jspecify.annotations.NullMarked;
