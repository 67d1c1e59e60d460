/**
 * The system heap: buffers of pages from the page allocator. Start at {@link
 * org.peerlane.exporter.systemheap.SystemHeap}; a buffer is {@link
 * org.peerlane.exporter.systemheap.HeapBuffer}.
 */
@NullMarked
package org.peerlane.exporter.systemheap;

import org.jspecify.annotations.NullMarked;
