package org.peerlane.dmabuf.core;

import java.util.concurrent.atomic.AtomicInteger;
import org.peerlane.dmabuf.api.DmaBufOperations.Pinning;
import org.peerlane.dmabuf.api.Violation.Severity;

/**
 * The pins of a buffer's attachments. Whether pinned storage may be moved is the exporter's to
 * decide; this counts.
 *
 * <p><b>Locks.</b> The reservation. <b>Threads.</b> {@link #count} any.
 */
final class Pinnings {
    private final Buffer buffer;
    private final Services services;
    private final AtomicInteger count = new AtomicInteger();

    Pinnings(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
    }

    int count() {
        return count.get();
    }

    /** {@return whether this exporter's storage can move} */
    boolean isOffered() {
        return buffer.exporter().operations() instanceof Pinning;
    }

    /**
     * [held] One pin more.
     *
     * @throws org.peerlane.kernel.api.ErrnoException what the exporter throws; nothing is pinned
     */
    void pin(BufferAttachment attachment) {
        Exporter exporter = buffer.exporter();
        if (exporter.operations() instanceof Pinning pinning) {
            services.callouts.ask(
                    buffer,
                    exporter.callee(),
                    "pin",
                    () -> {
                        pinning.pin(attachment);
                        return true;
                    });
        }
        count.incrementAndGet();
        int pins = attachment.pinCount().incrementAndGet();
        if (services.trace.pinned.isOn()) {
            services.trace.pinned.emit(
                    new DmaBufEvents.DmaBufPinned(buffer.id(), attachment.id(), pins));
        }
    }

    /** [held] One pin less; one too many is reported (CK-14), and nothing else. */
    void unpin(BufferAttachment attachment) {
        if (attachment.pins() == 0) {
            if (attachment.isTakenBack()) {
                return; // it has been done for the importer, which was late
            }
            services.report(
                    "CK-14",
                    Severity.WRONG,
                    attachment.owner().owner(),
                    attachment,
                    0,
                    "unpin of %s, which has no pin".formatted(attachment));
            return;
        }
        int pins = attachment.pinCount().decrementAndGet();
        count.decrementAndGet();
        Exporter exporter = buffer.exporter();
        if (exporter.operations() instanceof Pinning pinning) {
            services.callouts.tell(
                    buffer, exporter.callee(), "unpin", () -> pinning.unpin(attachment));
        }
        if (services.trace.unpinned.isOn()) {
            services.trace.unpinned.emit(
                    new DmaBufEvents.DmaBufUnpinned(buffer.id(), attachment.id(), pins));
        }
    }
}
