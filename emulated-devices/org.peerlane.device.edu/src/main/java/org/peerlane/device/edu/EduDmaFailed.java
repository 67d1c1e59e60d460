package org.peerlane.device.edu;

import org.peerlane.trace.api.TraceEvent;

/**
 * A DMA did not move all of its bytes. Emitted once per transfer, before the interrupt.
 *
 * @param slot the device
 * @param toRam direction
 * @param ram address on the bus, after the DMA mask
 * @param buffer address in the device; 0x40000 is the first byte
 * @param bytes how many were asked for
 * @param reason a range outside the buffer, or what the bus answered
 */
public record EduDmaFailed(
        String slot, boolean toRam, long ram, long buffer, long bytes, String reason)
        implements TraceEvent {}
