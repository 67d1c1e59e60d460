/** Buffers, attachments and mappings. Start at {@code Buffer}. */
@NullMarked
package org.peerlane.dmabuf.core;

import org.jspecify.annotations.NullMarked;
