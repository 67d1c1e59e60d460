/** Sends OSGi log entries to Log4j. */
@NullMarked
package org.peerlane.log;

import org.jspecify.annotations.NullMarked;
