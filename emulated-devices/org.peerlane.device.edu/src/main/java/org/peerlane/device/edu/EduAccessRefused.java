package org.peerlane.device.edu;

import org.peerlane.trace.api.TraceEvent;

/**
 * Software accessed a register with a width that the device does not take, or an address where
 * there is none. Emitted per access; the access had no effect.
 *
 * @param slot the device
 * @param offset in BAR 0
 * @param bytes width of the access
 * @param write whether it was a write
 */
public record EduAccessRefused(String slot, long offset, int bytes, boolean write)
        implements TraceEvent {}
