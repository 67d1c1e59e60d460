package org.peerlane.exporter.gpu;

import org.peerlane.bus.api.PcieBus;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/** What every card needs of the machine. */
final class Surroundings {
    final Execution execution;
    final PcieBus bus;
    final DmaApi dma;
    final DmaBufs dmabufs;
    final PhysicalMemory memory;
    final AddressSpaces spaces;

    /** How much RAM a card may address. */
    final long gttBytes;

    /** How long a job may take. */
    final long timeoutNanos;

    /** Whether as much VRAM as can be is put behind the BAR. */
    final boolean resize;

    final Tracepoint<GpuBufferMoved> moved;
    final Tracepoint<GpuReset> reset;

    /** A job's turn has come, and none of its packets is in the ring. */
    final Checkpoint beforeWritten;

    /** Importers have been told of a move, and the copy is not queued yet. */
    final Checkpoint afterInvalidated;

    /** A touch has found where its page is, and it is not in the table yet. */
    final Checkpoint beforeInserted;

    /** All who reach the VRAM have been told, and the card is about to be reset. */
    final Checkpoint beforeReset;

    Surroundings(
            Execution execution,
            PcieBus bus,
            DmaApi dma,
            DmaBufs dmabufs,
            PhysicalMemory memory,
            AddressSpaces spaces,
            Tracer tracer,
            GpuSettings settings) {
        this.execution = execution;
        this.bus = bus;
        this.dma = dma;
        this.dmabufs = dmabufs;
        this.memory = memory;
        this.spaces = spaces;
        gttBytes = settings.gttBytes(memory);
        timeoutNanos = settings.timeoutMillis() * 1_000_000L;
        resize = settings.resizeBar();
        moved = tracer.point(GpuBufferMoved.class);
        reset = tracer.point(GpuReset.class);
        beforeWritten = execution.checkpoint("gpu.job.before-written");
        afterInvalidated = execution.checkpoint("gpu.move.after-invalidated");
        beforeInserted = execution.checkpoint("gpu.fault.before-inserted");
        beforeReset = execution.checkpoint("gpu.reset.before-hardware");
    }
}
