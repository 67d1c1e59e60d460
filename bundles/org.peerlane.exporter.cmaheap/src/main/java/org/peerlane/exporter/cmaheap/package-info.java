/**
 * The CMA heap: buffers that are physically contiguous. Start at {@link
 * org.peerlane.exporter.cmaheap.CmaHeap}; where its memory comes from is {@link
 * org.peerlane.exporter.cmaheap.CmaArea}.
 */
@NullMarked
package org.peerlane.exporter.cmaheap;

import org.jspecify.annotations.NullMarked;
