package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBufOperations.Vmap;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * A buffer as the kernel addresses it: one map, counted (DB-56).
 *
 * <p><b>Locks.</b> The reservation. <b>Threads.</b> {@link #count} any.
 */
final class KernelMap {
    private final Buffer buffer;
    private final Services services;

    /** Changes under the reservation. */
    private volatile int count;

    /** [held] Null while the count is 0. */
    private @Nullable IoSysMap map;

    KernelMap(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
    }

    int count() {
        return count;
    }

    /** [held] */
    IoSysMap vmap() {
        Exporter its = buffer.exporter();
        if (!(its.operations() instanceof Vmap exporter)) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s cannot be addressed by the kernel".formatted(buffer));
        }
        IoSysMap known = map;
        if (known == null) {
            known =
                    services.callouts.<@Nullable IoSysMap>ask(
                            buffer, its.callee(), "vmap", () -> exporter.vmap(buffer));
            if (known == null) {
                services.report(
                        "DB-56",
                        Severity.WRONG,
                        buffer.owner().owner(),
                        buffer,
                        "vmap of %s answered null".formatted(buffer));
                throw new ErrnoException(Errno.ENOMEM, "%s gave no map".formatted(buffer));
            }
            map = known;
        }
        change(1);
        return known;
    }

    /** [held] */
    void vunmap(IoSysMap given) {
        IoSysMap known = map;
        if (known == null || !known.equals(given)) {
            throw services.broken(
                    "CK-14",
                    Callers.outside(),
                    buffer,
                    "vunmap of %s with %s"
                            .formatted(
                                    buffer,
                                    known == null
                                            ? "a map that has been taken back"
                                            : "another map than vmap has answered"));
        }
        if (count == 1) {
            map = null;
            Exporter its = buffer.exporter();
            if (its.operations() instanceof Vmap exporter) {
                services.callouts.tell(
                        buffer, its.callee(), "vunmap", () -> exporter.vunmap(buffer, known));
            }
        }
        change(-1);
        buffer.freeStorageIfLeft();
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the reservation
    private void change(int by) {
        count += by;
        if (services.trace.vmapped.isOn()) {
            services.trace.vmapped.emit(new DmaBufEvents.DmaBufVmapped(buffer.id(), count));
        }
    }
}
