package org.peerlane.device.gpu;

import org.peerlane.trace.api.TraceEvent;

/**
 * Software accessed a register in a way that has no effect: with a width that the card does not
 * take, at an address where none is, or one of the ring while the engine was using it. Emitted per
 * access.
 *
 * @param slot the card
 * @param offset in BAR 0
 * @param bytes width of the access
 * @param write whether it was a write
 */
public record GpuAccessRefused(String slot, long offset, int bytes, boolean write)
        implements TraceEvent {}
