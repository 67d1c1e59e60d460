package org.peerlane.bus.pcie;

import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.trace.api.TraceEvent;

/** What the bus reports. */
public final class BusEvents {
    private BusEvents() {}

    /** One transaction of a memory read has been answered. */
    public record DmaRead(PcieAddress requester, long address, long physical, long bytes)
            implements TraceEvent {}

    /** One transaction of a memory write has been posted. */
    public record DmaWrite(PcieAddress requester, long address, long physical, long bytes)
            implements TraceEvent {}

    /** A request was refused, and the function was told. */
    public record DmaRefused(
            PcieAddress requester, long address, long bytes, boolean write, String why)
            implements TraceEvent {}

    /** A posted write came to nobody, and the function does not learn of it (PC-66, IM-5). */
    public record DmaLost(PcieAddress requester, long address, long bytes, String why)
            implements TraceEvent {}

    /** A register was read, by the CPU or a peer. */
    public record MmioRead(PcieAddress function, int bar, long offset, int bytes, long value)
            implements TraceEvent {}

    /** A register was written, by the CPU or a peer. */
    public record MmioWrite(PcieAddress function, int bar, long offset, int bytes, long value)
            implements TraceEvent {}

    /** Config space was written. */
    public record ConfigWrite(PcieAddress function, int offset, int bytes, long value)
            implements TraceEvent {}

    /** A message-signalled interrupt has left the function (PC-30). */
    public record MsiSent(PcieAddress function, int vector, long address, long data)
            implements TraceEvent {}

    /** A device was put into a slot and has been enumerated. */
    public record FunctionAdded(PcieAddress function, String slot, String device)
            implements TraceEvent {}

    /** A function has left; nothing of it arrives any more. */
    public record FunctionRemoved(PcieAddress function, String slot) implements TraceEvent {}

    /** A function was reset; nothing it began before arrives any more (PC-62). */
    public record FunctionReset(PcieAddress function, ResetKind kind) implements TraceEvent {}
}
