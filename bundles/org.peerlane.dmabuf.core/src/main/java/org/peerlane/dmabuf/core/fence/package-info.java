/** Fences and their containers, sync files. Start at {@code CoreFence}. */
@NullMarked
package org.peerlane.dmabuf.core.fence;

import org.jspecify.annotations.NullMarked;
