/**
 * Buffers of what processes have in memfds. Start at {@link
 * org.peerlane.exporter.udmabuf.UdmabufDevice}; a buffer is {@link
 * org.peerlane.exporter.udmabuf.UdmabufBuffer}.
 */
@NullMarked
package org.peerlane.exporter.udmabuf;

import org.jspecify.annotations.NullMarked;
