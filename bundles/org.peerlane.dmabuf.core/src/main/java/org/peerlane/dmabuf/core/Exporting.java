package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** Makes buffers (DB-1 to DB-5). <b>Threads.</b> Any. */
final class Exporting {
    private final Services services;
    private final BufferRegistry registry;

    Exporting(Services services, BufferRegistry registry) {
        this.services = services;
        this.registry = registry;
    }

    Buffer export(OwnerDmaBufs owner, ExportInfo info) {
        DmaBufOperations operations = present(owner, info, info.operations(), "operations");
        Object privateData = present(owner, info, info.privateData(), "private data");
        if (info.size() <= 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s exports a buffer of %d bytes; expected at least 1"
                            .formatted(info.exporterName(), info.size()));
        }
        long id = services.buffers.incrementAndGet();
        Reservation shared = info.reservation();
        Reservation reservation =
                shared != null
                        ? shared
                        : services.primitives.reservation(
                                info.exporterName() + "#" + id, owner.owner(), id);
        Buffer buffer =
                new Buffer(
                        id, services, owner, info, operations, privateData, reservation, registry);
        services.requireFree(buffer, owner.owner(), "export");
        services.points.exportBeforeListed.reached();
        if (!owner.enrol(buffer)) {
            throw new ErrnoException(Errno.ENOENT, owner.owner() + " is leaving");
        }
        registry.add(buffer);
        if (services.trace.export.isOn()) {
            services.trace.export.emit(
                    new DmaBufEvents.DmaBufExport(
                            id, info.exporterName(), owner.owner(), info.size()));
        }
        return buffer;
    }

    private <T> T present(OwnerDmaBufs owner, ExportInfo info, @Nullable T value, String what) {
        if (value == null) {
            String sentence = "%s exports a buffer without %s".formatted(info.exporterName(), what);
            services.checks
                    .violations()
                    .report("DB-1", Severity.WRONG, owner.owner(), 0, 0, 0, sentence);
            throw new ErrnoException(Errno.EINVAL, sentence);
        }
        return value;
    }
}
