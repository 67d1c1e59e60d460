package org.peerlane.device.gpu;

import org.peerlane.trace.api.TraceEvent;

/**
 * The engine stopped, because of a packet or of the ring itself. Emitted before the interrupt.
 *
 * @param slot the card
 * @param offset of the packet in the ring
 * @param opcode of the packet; 0 if it was not read
 * @param error name of ERROR.CODE, such as {@code BAD_OPCODE}
 * @param detail ERROR.DETAIL in words, or empty
 * @param address what it is about
 */
public record GpuHalted(
        String slot, long offset, int opcode, String error, String detail, long address)
        implements TraceEvent {}
