/** Sends the framework's log to Log4j, so that there is one log. */
@NullMarked
package org.peerlane.log;

import org.jspecify.annotations.NullMarked;
