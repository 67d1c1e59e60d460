package org.peerlane.exporter.gpu;

import org.peerlane.gpu.api.Placement;
import org.peerlane.trace.api.TraceEvent;

/**
 * A buffer has a new place; the copy may still be under way.
 *
 * @param slot the card
 * @param handle which buffer
 * @param from where it was
 * @param to where it is
 * @param bytes its length
 * @param evicted whether it had to leave so that another found room
 */
public record GpuBufferMoved(
        String slot, long handle, Placement from, Placement to, long bytes, boolean evicted)
        implements TraceEvent {}
