package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Violation.Severity;

/**
 * Tells the importers of a buffer that their mappings are stale (DY-10).
 *
 * <p><b>Locks.</b> Everything under the reservation. <b>Cost.</b> Linear in attachments, whatever
 * the number of mappings.
 */
final class Invalidation {
    private final Buffer buffer;
    private final Services services;

    /** Changes under the reservation. */
    private volatile Epoch current;

    /** [held] */
    private @Nullable Epoch last;

    /** [held] */
    private boolean running;

    Invalidation(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
        current = new Epoch(0, buffer.reservation());
    }

    Epoch current() {
        return current;
    }

    /** [held] {@return the one before the current one; null: there was no invalidation} */
    @Nullable Epoch last() {
        return last;
    }

    /** [held] {@return whether this thread is inside of one, hence in an importer's callback} */
    boolean isRunning() {
        return running && buffer.reservation().isHeld();
    }

    /**
     * [held] Runs one.
     *
     * @throws IllegalStateException from inside of one, of the same buffer (reported as CK-24)
     */
    void run() {
        if (isRunning()) {
            throw services.broken(
                    "CK-24",
                    Callers.outside(),
                    buffer,
                    "an importer's callback invalidates %s, which has called it".formatted(buffer));
        }
        running = true;
        Epoch ended = current;
        ended.end(services.execution.nanoTime());
        current = new Epoch(ended.generation + 1, buffer.reservation());
        last = ended;
        int told = 0;
        int fences = 0;
        try {
            services.points.invalidateBegun.reached();
            for (BufferAttachment attachment : buffer.attached().snapshot()) {
                if (attachment.isRevocable()) {
                    tell(attachment, ended.generation);
                    told++;
                    services.points.invalidateTold.reached();
                }
            }
        } finally {
            running = false;
            fences = ended.seal(buffer.mapped().isEmpty(ended));
        }
        if (services.trace.invalidated.isOn()) {
            services.trace.invalidated.emit(
                    new DmaBufEvents.DmaBufInvalidated(
                            buffer.id(), current.generation, told, fences));
        }
        services.points.invalidateDone.reached();
    }

    private void tell(BufferAttachment attachment, long generation) {
        attachment.physicalEnded();
        Callee importer = attachment.owner().callee();
        String what = "the callback of " + attachment.device().name();
        services.checks.beginCallback();
        services.callouts.tell(buffer, importer, what, attachment::invalidateMappings);
        boolean failed = services.checks.endCallback();
        attachment.told(current.generation);
        if (services.checks.isOn()) {
            services.callouts.tell(
                    buffer, importer, what, () -> checkDrained(attachment, generation, failed));
        }
    }

    /** [held] Tells one importer, who leaves, to stop; nobody else's mappings become stale. */
    void tellLeaving(BufferAttachment attachment) {
        boolean before = running;
        running = true;
        try {
            tell(attachment, current.generation);
        } finally {
            running = before;
        }
    }

    /** [held] What runs on without a fence after the callback is not waited for by anybody. */
    private void checkDrained(BufferAttachment attachment, long generation, boolean failed) {
        long running = attachment.inFlight();
        if (running > 0) {
            services.report(
                    failed ? "CK-64" : "DY-2",
                    Severity.FATAL,
                    attachment.owner().owner(),
                    attachment,
                    0,
                    "the callback of %s for %s%s returned with %d accesses running and no fence for them; expected them to have ended"
                            .formatted(
                                    attachment.device().name(),
                                    buffer,
                                    failed ? " could not reserve slots and" : "",
                                    running));
        } else if (failed) {
            attachment.promiseIdle(generation);
        }
    }

    /** [held] Reports what an importer does from inside of its callback though it must not. */
    void refuseInside(String what, BufferAttachment attachment) {
        if (isRunning()) {
            services.report(
                    "CK-24",
                    Severity.FATAL,
                    attachment.owner().owner(),
                    attachment,
                    0,
                    "%s of %s from inside of an importer's callback for it"
                            .formatted(what, buffer));
        }
    }
}
