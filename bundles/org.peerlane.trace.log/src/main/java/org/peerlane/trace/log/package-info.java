/** Writes trace events to Log4j. */
@NullMarked
package org.peerlane.trace.log;

import org.jspecify.annotations.NullMarked;
