package org.peerlane.dmabuf.core;

import org.peerlane.dmabuf.api.DmaBufOperations;

/**
 * What an exporter does with a buffer, and whose code that is. Both change at once, when the
 * exporter has left.
 *
 * @param operations the exporter's callbacks
 * @param callee whose code they are
 */
record Exporter(DmaBufOperations operations, Callee callee) {}
