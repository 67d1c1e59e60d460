/**
 * Virtual and platform threads on the machine's own clock, one execution per bundle. Start at
 * LiveExecution.
 */
@NullMarked
package org.peerlane.exec.live;

import org.jspecify.annotations.NullMarked;
