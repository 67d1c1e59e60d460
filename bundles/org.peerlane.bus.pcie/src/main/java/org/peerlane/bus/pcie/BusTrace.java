package org.peerlane.bus.pcie;

import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/** The tracepoints of the bus, asked for once. */
final class BusTrace {
    final Tracepoint<BusEvents.DmaRead> dmaRead;
    final Tracepoint<BusEvents.DmaWrite> dmaWrite;
    final Tracepoint<BusEvents.DmaRefused> dmaRefused;
    final Tracepoint<BusEvents.DmaLost> dmaLost;
    final Tracepoint<BusEvents.MmioRead> mmioRead;
    final Tracepoint<BusEvents.MmioWrite> mmioWrite;
    final Tracepoint<BusEvents.ConfigWrite> configWrite;
    final Tracepoint<BusEvents.MsiSent> msiSent;
    final Tracepoint<BusEvents.FunctionAdded> added;
    final Tracepoint<BusEvents.FunctionRemoved> removed;
    final Tracepoint<BusEvents.FunctionReset> reset;

    BusTrace(Tracer tracer) {
        dmaRead = tracer.point(BusEvents.DmaRead.class);
        dmaWrite = tracer.point(BusEvents.DmaWrite.class);
        dmaRefused = tracer.point(BusEvents.DmaRefused.class);
        dmaLost = tracer.point(BusEvents.DmaLost.class);
        mmioRead = tracer.point(BusEvents.MmioRead.class);
        mmioWrite = tracer.point(BusEvents.MmioWrite.class);
        configWrite = tracer.point(BusEvents.ConfigWrite.class);
        msiSent = tracer.point(BusEvents.MsiSent.class);
        added = tracer.point(BusEvents.FunctionAdded.class);
        removed = tracer.point(BusEvents.FunctionRemoved.class);
        reset = tracer.point(BusEvents.FunctionReset.class);
    }
}
