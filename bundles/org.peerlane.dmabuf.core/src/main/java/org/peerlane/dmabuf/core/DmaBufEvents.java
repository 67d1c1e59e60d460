package org.peerlane.dmabuf.core;

import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.trace.api.FallsUnder;
import org.peerlane.trace.api.TraceEvent;

/** What the core reports. The first eight are the kernel's tracepoints (DB-68). */
public final class DmaBufEvents {
    private DmaBufEvents() {}

    /** A buffer was made. */
    @FallsUnder("DB-1")
    public record DmaBufExport(long buffer, String exporter, String owner, long size)
            implements TraceEvent {}

    /** A buffer got a descriptor. */
    @FallsUnder("DB-6")
    public record DmaBufFd(long buffer, int fd) implements TraceEvent {}

    /** A buffer has one more holder. */
    @FallsUnder("DB-9")
    public record DmaBufGet(long buffer, int references) implements TraceEvent {}

    /** A buffer has one holder less. */
    @FallsUnder("DB-9")
    public record DmaBufPut(long buffer, int references) implements TraceEvent {}

    /** A static importer has registered. */
    @FallsUnder("DB-20")
    public record DmaBufAttach(long buffer, long attachment, String device, String owner)
            implements TraceEvent {}

    /** An importer with operations of its own has registered. */
    @FallsUnder("DB-20")
    public record DmaBufDynamicAttach(
            long buffer, long attachment, String device, String owner, boolean peer2peer)
            implements TraceEvent {}

    /** An importer has gone; no callback to it is under way. */
    @FallsUnder("DB-25")
    public record DmaBufDetach(long buffer, long attachment, String device) implements TraceEvent {}

    /** A process maps a part. */
    @FallsUnder("DB-54")
    public record DmaBufMmap(long buffer, long offset, long bytes) implements TraceEvent {}

    /** The storage has been freed. */
    @FallsUnder("DB-11")
    public record DmaBufReleased(long buffer) implements TraceEvent {}

    /** An attachment has one more pin. */
    @FallsUnder("DB-30")
    public record DmaBufPinned(long buffer, long attachment, int pins) implements TraceEvent {}

    /** An attachment has one pin less. */
    @FallsUnder("DB-30")
    public record DmaBufUnpinned(long buffer, long attachment, int pins) implements TraceEvent {}

    /** A device has addresses. */
    @FallsUnder("DB-32")
    public record DmaBufMapped(
            long buffer,
            long attachment,
            long mapping,
            long generation,
            DmaDirection direction,
            int segments)
            implements TraceEvent {}

    /** A device has given its addresses back. */
    @FallsUnder("DB-36")
    public record DmaBufUnmapped(long buffer, long attachment, long mapping)
            implements TraceEvent {}

    /** All mappings made before are stale; the importers have been told. */
    @FallsUnder("DY-10")
    public record DmaBufInvalidated(long buffer, long generation, int told, int fences)
            implements TraceEvent {}

    /** Access is allowed, being taken away, or gone (section 13.2). */
    @FallsUnder("RK-3")
    public record DmaBufRevokeChanged(long buffer, RevokeState from, RevokeState to)
            implements TraceEvent {}

    /** The kernel addresses the memory, for the first time or no longer. */
    @FallsUnder("DB-56")
    public record DmaBufVmapped(long buffer, int count) implements TraceEvent {}

    /** A CPU access has begun: the fences have been waited for. */
    @FallsUnder("DB-50")
    public record CpuAccessBegun(long buffer, DmaDirection direction) implements TraceEvent {}

    /** A CPU access has ended. */
    @FallsUnder("DB-51")
    public record CpuAccessEnded(long buffer, DmaDirection direction) implements TraceEvent {}

    /** Fences have left as a sync file, or have come from one. */
    @FallsUnder("DB-63")
    public record SyncFileMoved(long buffer, boolean imported, int flags, int fences)
            implements TraceEvent {}

    /** A bundle or a device has left (see {@link org.peerlane.dmabuf.api.DepartureReport}). */
    @FallsUnder("RK-14")
    public record Departed(String who, int buffers, int attachments, int mappings, int fences)
            implements TraceEvent {}

    /** A device was cut off, because its driver had not stopped it in time. */
    @FallsUnder("RK-4")
    public record DeviceQuarantined(String device, String owner, String why)
            implements TraceEvent {}

    /** A device that was cut off may be used again. */
    @FallsUnder("RK-4")
    public record QuarantineLifted(String device) implements TraceEvent {}

    /** A poll waits for a fence, and holds the buffer meanwhile (DB-65). */
    @FallsUnder("DB-65")
    public record PollArmed(long buffer, boolean write) implements TraceEvent {}
}
