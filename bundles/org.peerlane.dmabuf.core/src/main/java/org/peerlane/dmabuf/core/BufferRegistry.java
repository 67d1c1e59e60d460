package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;

/**
 * All buffers of the machine, and how one ends (DB-11): off the list, checks, the exporter's
 * release, fences, leftovers. Between the first and the last of these its count is zero, and who
 * walks the list passes it by (DB-12).
 *
 * <p><b>Threads.</b> Any; looking up, adding and ending one take the same time however many there
 * are.
 */
final class BufferRegistry {
    private final Services services;
    private final ConcurrentHashMap<Long, Buffer> live = new ConcurrentHashMap<>();

    BufferRegistry(Services services) {
        this.services = services;
    }

    void add(Buffer buffer) {
        live.put(buffer.id(), buffer);
    }

    /** {@return the buffer with one reference, the caller's, or null: none, or it is ending} */
    @Nullable Buffer get(long id) {
        Buffer buffer = live.get(id);
        services.points.listFound.reached(); // it may end here
        return buffer != null && buffer.getUnlessZero() ? buffer : null;
    }

    /** {@return all of them, oldest first, each with one reference, the caller's} */
    List<Buffer> all() {
        List<Buffer> held = new ArrayList<>();
        live.values().stream()
                .sorted((one, other) -> Long.compare(one.id(), other.id()))
                .filter(Buffer::getUnlessZero)
                .forEach(held::add);
        return held;
    }

    /** {@return how many are on the list, ending ones included} */
    int size() {
        return live.size();
    }

    /** Runs on the thread of the last put. */
    void run(Buffer buffer) {
        services.points.releaseBegun.reached();
        live.remove(buffer.id());
        buffer.owner().forget(buffer);
        services.points.releaseUnlisted.reached();
        if (buffer.kernelMap().count() != 0) {
            throw services.broken(
                    "CK-14",
                    buffer.owner().owner(),
                    buffer,
                    "%s ends while the kernel addresses it, %d times"
                            .formatted(buffer, buffer.kernelMap().count()));
        }
        if (buffer.polls().armed() != 0) {
            throw services.broken(
                    "DB-11", buffer.owner().owner(), buffer, buffer + " ends with an armed poll");
        }
        buffer.freeStorage();
        buffer.unwatch();
        services.points.releaseReleased.reached();
        if (buffer.ownsReservation()) {
            services.primitives.destroy(buffer.reservation());
        }
        for (BufferAttachment left : buffer.attached().snapshot()) {
            services.report(
                    "CK-8",
                    Severity.WRONG,
                    left.owner().owner(),
                    left,
                    0,
                    "%s ends while %s is attached; expected a reference of the importer's own"
                            .formatted(buffer, left.device().name()));
        }
        buffer.cpuAccesses().reportOpen();
        if (services.trace.released.isOn()) {
            services.trace.released.emit(new DmaBufEvents.DmaBufReleased(buffer.id()));
        }
    }
}
