/** Writes trace events to Java Flight Recorder, one JFR event type for each. */
@NullMarked
package org.peerlane.trace.jfr;

import org.jspecify.annotations.NullMarked;
