package org.peerlane.device.gpu;

import org.peerlane.trace.api.TraceEvent;

/**
 * A FENCE packet has written its value; to a bus address it has been posted, no more.
 *
 * @param slot the card
 * @param vram whether it went to VRAM
 * @param address VRAM offset or bus address, after the MMU
 * @param value the 64 bits
 */
public record GpuFenceWritten(String slot, boolean vram, long address, long value)
        implements TraceEvent {}
