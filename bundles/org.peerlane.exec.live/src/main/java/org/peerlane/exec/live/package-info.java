/**
 * Execution on the machine's own threads and clock. Start at {@link
 * org.peerlane.exec.live.LiveExecution}.
 */
@NullMarked
package org.peerlane.exec.live;

import org.jspecify.annotations.NullMarked;
