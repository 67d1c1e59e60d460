package org.peerlane.dmabuf.core;

import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/** The core's tracepoints. <b>Threads.</b> Any. */
final class DmaBufTrace {
    final Tracepoint<DmaBufEvents.DmaBufExport> export;
    final Tracepoint<DmaBufEvents.DmaBufFd> fd;
    final Tracepoint<DmaBufEvents.DmaBufGet> get;
    final Tracepoint<DmaBufEvents.DmaBufPut> put;
    final Tracepoint<DmaBufEvents.DmaBufAttach> attach;
    final Tracepoint<DmaBufEvents.DmaBufDynamicAttach> dynamicAttach;
    final Tracepoint<DmaBufEvents.DmaBufDetach> detach;
    final Tracepoint<DmaBufEvents.DmaBufMmap> mmap;
    final Tracepoint<DmaBufEvents.DmaBufReleased> released;
    final Tracepoint<DmaBufEvents.DmaBufPinned> pinned;
    final Tracepoint<DmaBufEvents.DmaBufUnpinned> unpinned;
    final Tracepoint<DmaBufEvents.DmaBufMapped> mapped;
    final Tracepoint<DmaBufEvents.DmaBufUnmapped> unmapped;
    final Tracepoint<DmaBufEvents.DmaBufInvalidated> invalidated;
    final Tracepoint<DmaBufEvents.DmaBufRevokeChanged> revokeChanged;
    final Tracepoint<DmaBufEvents.DmaBufVmapped> vmapped;
    final Tracepoint<DmaBufEvents.CpuAccessBegun> cpuBegun;
    final Tracepoint<DmaBufEvents.CpuAccessEnded> cpuEnded;
    final Tracepoint<DmaBufEvents.SyncFileMoved> syncFile;
    final Tracepoint<DmaBufEvents.PollArmed> pollArmed;
    final Tracepoint<DmaBufEvents.Departed> departed;
    final Tracepoint<DmaBufEvents.DeviceQuarantined> quarantined;
    final Tracepoint<DmaBufEvents.QuarantineLifted> quarantineLifted;

    DmaBufTrace(Tracer tracer) {
        export = tracer.point(DmaBufEvents.DmaBufExport.class);
        fd = tracer.point(DmaBufEvents.DmaBufFd.class);
        get = tracer.point(DmaBufEvents.DmaBufGet.class);
        put = tracer.point(DmaBufEvents.DmaBufPut.class);
        attach = tracer.point(DmaBufEvents.DmaBufAttach.class);
        dynamicAttach = tracer.point(DmaBufEvents.DmaBufDynamicAttach.class);
        detach = tracer.point(DmaBufEvents.DmaBufDetach.class);
        mmap = tracer.point(DmaBufEvents.DmaBufMmap.class);
        released = tracer.point(DmaBufEvents.DmaBufReleased.class);
        pinned = tracer.point(DmaBufEvents.DmaBufPinned.class);
        unpinned = tracer.point(DmaBufEvents.DmaBufUnpinned.class);
        mapped = tracer.point(DmaBufEvents.DmaBufMapped.class);
        unmapped = tracer.point(DmaBufEvents.DmaBufUnmapped.class);
        invalidated = tracer.point(DmaBufEvents.DmaBufInvalidated.class);
        revokeChanged = tracer.point(DmaBufEvents.DmaBufRevokeChanged.class);
        vmapped = tracer.point(DmaBufEvents.DmaBufVmapped.class);
        cpuBegun = tracer.point(DmaBufEvents.CpuAccessBegun.class);
        cpuEnded = tracer.point(DmaBufEvents.CpuAccessEnded.class);
        syncFile = tracer.point(DmaBufEvents.SyncFileMoved.class);
        pollArmed = tracer.point(DmaBufEvents.PollArmed.class);
        departed = tracer.point(DmaBufEvents.Departed.class);
        quarantined = tracer.point(DmaBufEvents.DeviceQuarantined.class);
        quarantineLifted = tracer.point(DmaBufEvents.QuarantineLifted.class);
    }
}
