/** The lock of a buffer and its list of fences. Start at {@code CoreReservation}. */
@NullMarked
package org.peerlane.dmabuf.core.resv;

import org.jspecify.annotations.NullMarked;
