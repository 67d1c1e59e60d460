package org.peerlane.bus.pcie;

import org.peerlane.trace.api.TraceEvent;

/** What the bus reports. */
final class BusEvents {
    private BusEvents() {}

    /** A device has read memory or a peer. */
    record DmaRead(int requester, long address, long bytes, String status) implements TraceEvent {}

    /** A device has posted a write. */
    record DmaWrite(int requester, long address, long bytes, String status) implements TraceEvent {}

    /** A posted write that nobody took (PC-66): its device never learns of it. */
    record DmaLost(int requester, long address, long bytes) implements TraceEvent {}

    /** The CPU has read a register. */
    record MmioRead(String slot, int bar, long offset, int bytes, long value)
            implements TraceEvent {}

    /** The CPU has written a register. */
    record MmioWrite(String slot, int bar, long offset, int bytes, long value)
            implements TraceEvent {}

    /** The CPU has written config space. */
    record ConfigWrite(String slot, int offset, int bytes, long value) implements TraceEvent {}

    /** A message-signalled interrupt has left its function (PC-30). */
    record MsiSent(String slot, int vector, long address, int data) implements TraceEvent {}

    /** A function has joined the bus. */
    record FunctionAdded(String slot, String address) implements TraceEvent {}

    /** A function has left the bus (PC-68). */
    record FunctionRemoved(String slot, String address) implements TraceEvent {}

    /** A function has been reset (PC-61). */
    record FunctionReset(String slot, String kind, long generation) implements TraceEvent {}
}
