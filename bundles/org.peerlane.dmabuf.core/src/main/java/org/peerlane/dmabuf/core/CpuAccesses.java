package org.peerlane.dmabuf.core;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations.CpuAccess;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** Brackets around what the CPU does with a buffer (DB-50 to DB-52). <b>Threads.</b> Any. */
final class CpuAccesses {
    private static final long SYNC_MASK = DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE | DmaBuf.SYNC_END;

    private final Buffer buffer;
    private final Services services;

    /** Begun minus ended, by direction. */
    private final AtomicIntegerArray open = new AtomicIntegerArray(DmaDirection.values().length);

    CpuAccesses(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
    }

    void begin(DmaDirection direction) {
        services.requireFree(buffer, "", "beginCpuAccess");
        Exporter its = buffer.exporter();
        if (its.operations() instanceof CpuAccess exporter) {
            services.callouts.ask(
                    buffer,
                    its.callee(),
                    "beginCpuAccess",
                    () -> {
                        exporter.beginCpuAccess(buffer, direction);
                        return true;
                    });
        }
        services.points.cpuPrepared.reached();
        FenceUsage others = FenceUsage.waitedForBy(direction != DmaDirection.FROM_DEVICE);
        buffer.reservation().waitTimeout(others, true, Reservation.NO_LIMIT);
        open.incrementAndGet(direction.ordinal());
        if (services.trace.cpuBegun.isOn()) {
            services.trace.cpuBegun.emit(new DmaBufEvents.CpuAccessBegun(buffer.id(), direction));
        }
    }

    void end(DmaDirection direction) {
        services.requireFree(buffer, "", "endCpuAccess");
        open.decrementAndGet(direction.ordinal());
        if (services.trace.cpuEnded.isOn()) {
            services.trace.cpuEnded.emit(new DmaBufEvents.CpuAccessEnded(buffer.id(), direction));
        }
        Exporter its = buffer.exporter();
        if (its.operations() instanceof CpuAccess exporter) {
            services.callouts.ask(
                    buffer,
                    its.callee(),
                    "endCpuAccess",
                    () -> {
                        exporter.endCpuAccess(buffer, direction);
                        return true;
                    });
        }
    }

    void sync(long flags) {
        int access = (int) flags & (DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE);
        if ((flags & ~SYNC_MASK) != 0 || access == 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "sync flags %#x; expected read, write or both, and maybe end".formatted(flags));
        }
        DmaDirection direction =
                switch (access) {
                    case DmaBuf.SYNC_READ -> DmaDirection.FROM_DEVICE;
                    case DmaBuf.SYNC_WRITE -> DmaDirection.TO_DEVICE;
                    default -> DmaDirection.BIDIRECTIONAL;
                };
        if ((flags & DmaBuf.SYNC_END) != 0) {
            end(direction);
            return;
        }
        try {
            begin(direction);
        } catch (ErrnoException e) {
            throw e.errno() == Errno.ERESTARTSYS
                    ? new ErrnoException(Errno.EINTR, e.sentence(), e)
                    : e;
        }
    }

    /** At the end of the buffer: reports what was begun and not ended, or the other way round. */
    void reportOpen() {
        for (DmaDirection direction : DmaDirection.values()) {
            int left = open.get(direction.ordinal());
            if (left != 0) {
                services.report(
                        "CK-14",
                        Severity.HINT,
                        buffer.owner().owner(),
                        buffer,
                        "%s ends with %d CPU accesses %s that were %s"
                                .formatted(
                                        buffer,
                                        Math.abs(left),
                                        direction,
                                        left > 0
                                                ? "begun and never ended"
                                                : "ended and never begun"));
            }
        }
    }
}
