package org.peerlane.dmabuf.core;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.MappingTypes;
import org.peerlane.dmabuf.api.MatchEntry;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.BufferAttachment.Life;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile.Base;

/**
 * Attach and detach (DB-20 to DB-26).
 *
 * <p><b>Order.</b> The exporter is asked without the reservation; the attachment comes onto the
 * buffer's list, and goes from it, under the reservation, where callbacks run: after detach none
 * runs for it.
 */
final class Attaching {
    private final Services services;

    Attaching(Services services) {
        this.services = services;
    }

    BufferAttachment attach(
            OwnerDmaBufs owner,
            @Nullable DmaBuf given,
            @Nullable ImporterDevice device,
            List<MatchEntry> entries,
            @Nullable AttachOperations operations,
            @Nullable Object importerPrivate) {
        if (!(given instanceof Buffer buffer) || device == null) {
            throw refuse(
                    owner,
                    "DB-20",
                    "attach of %s to %s; expected a device and a buffer".formatted(device, given));
        }
        services.refuseHeld(
                buffer.invalidation().isRunning() ? "CK-24" : "CK-17",
                buffer,
                owner.owner(),
                "attach");
        if (operations != null
                && operations.invalidate() == null
                && !services.profile.atLeast(Base.V7_1)) {
            throw refuse(
                    owner,
                    "DB-21",
                    "attach of %s to %s with operations and no callback; expected one before 7.1"
                            .formatted(device.name(), buffer));
        }
        services.quarantine.requireFree(device);
        if (buffer.references() == 0) {
            throw services.broken(
                    "CK-8",
                    owner.owner(),
                    buffer,
                    "attach of %s to %s, which has ended".formatted(device.name(), buffer));
        }
        BufferAttachment attachment =
                new BufferAttachment(
                        services.attachments.incrementAndGet(),
                        buffer,
                        owner,
                        device,
                        operations,
                        importerPrivate,
                        MappingTypes.SGT);
        if (!owner.enrol(attachment)) {
            throw new ErrnoException(Errno.ENODEV, owner.owner() + " is leaving");
        }
        if (!buffer.attached().asking()) {
            owner.forget(attachment);
            throw new ErrnoException(
                    Errno.ENODEV,
                    "attach of %s to %s, whose exporter has left".formatted(device.name(), buffer));
        }
        boolean asked = false;
        boolean listed = false;
        try {
            new Negotiation(attachment).run(entries);
            ask(attachment);
            asked = true;
            services.points.attachAsked.reached();
            list(attachment);
            listed = true;
        } finally {
            if (!listed) {
                owner.forget(attachment);
                attachment.life(Life.FREED);
                if (asked) {
                    attachment.tellDetached();
                } else {
                    buffer.attached().forgot();
                }
            }
        }
        trace(attachment);
        services.points.attachListed.reached();
        return attachment;
    }

    private void ask(BufferAttachment attachment) {
        Buffer buffer = attachment.buffer();
        Exporter exporter = buffer.exporter();
        services.callouts.ask(
                buffer,
                exporter.callee(),
                "attach",
                () -> {
                    exporter.operations().attach(buffer, attachment);
                    return true;
                });
    }

    private void list(BufferAttachment attachment) {
        Buffer buffer = attachment.buffer();
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        try {
            buffer.revocation().requireOk("attach");
            attachment.attachTimeMap().make(services.profile);
            attachment.life(Life.LISTED);
            buffer.attached().add(attachment);
        } finally {
            reservation.unlock();
        }
    }

    private void trace(BufferAttachment attachment) {
        long buffer = attachment.buffer().id();
        String device = attachment.device().name();
        String owner = attachment.owner().owner();
        if (!attachment.isDynamic()) {
            if (services.trace.attach.isOn()) {
                services.trace.attach.emit(
                        new DmaBufEvents.DmaBufAttach(buffer, attachment.id(), device, owner));
            }
        } else if (services.trace.dynamicAttach.isOn()) {
            services.trace.dynamicAttach.emit(
                    new DmaBufEvents.DmaBufDynamicAttach(
                            buffer, attachment.id(), device, owner, attachment.peer2peer()));
        }
    }

    void detach(OwnerDmaBufs caller, @Nullable DmaBuf buffer, @Nullable Attachment given) {
        if (!(given instanceof BufferAttachment attachment)
                || !attachment.buffer().equals(buffer)) {
            report(
                    caller,
                    "DB-25",
                    "detach of %s from %s; expected an attachment of that buffer"
                            .formatted(given, buffer));
            return;
        }
        services.refuseHeld("CK-17", attachment.buffer(), caller.owner(), "detach");
        Reservation reservation = attachment.buffer().reservation();
        reservation.lock(null);
        try {
            if (!attachment.buffer().attached().remove(attachment)) {
                services.report(
                        "CK-6",
                        Severity.FATAL,
                        caller.owner(),
                        attachment,
                        0,
                        "detach of %s, which is %s; expected one detach for each attach"
                                .formatted(attachment, attachment.life()));
                return;
            }
            attachment.life(Life.FREED);
            attachment.attachTimeMap().end();
            reportLeft(attachment);
        } finally {
            reservation.unlock();
        }
        services.points.detachUnlisted.reached();
        attachment.tellDetached();
        attachment.owner().forget(attachment);
        if (services.trace.detach.isOn()) {
            services.trace.detach.emit(
                    new DmaBufEvents.DmaBufDetach(
                            attachment.buffer().id(), attachment.id(), attachment.device().name()));
        }
    }

    /** What the importer has not given back (DB-26). */
    private void reportLeft(BufferAttachment attachment) {
        List<BufferMapping> mappings = attachment.buffer().mapped().of(attachment);
        if (!mappings.isEmpty()) {
            left(attachment, "DB-26", mappings.getFirst().id(), mappings.size(), "mapped");
        }
        if (attachment.physicalMappings() != 0) {
            left(attachment, "DB-26", 0, attachment.physicalMappings(), "mapped physically");
        }
        int pins = attachment.pins();
        if (pins != 0 && mappings.stream().filter(BufferMapping::isPinned).count() != pins) {
            left(attachment, "CK-14", 0, pins, "pinned");
        }
    }

    private void left(
            BufferAttachment attachment, String rule, long mapping, int count, String how) {
        services.report(
                rule,
                Severity.FATAL,
                attachment.owner().owner(),
                attachment,
                mapping,
                "detach of %s while it is %s, %d times".formatted(attachment, how, count));
    }

    private ErrnoException refuse(OwnerDmaBufs owner, String rule, String sentence) {
        report(owner, rule, sentence);
        return new ErrnoException(Errno.EINVAL, sentence);
    }

    private void report(OwnerDmaBufs owner, String rule, String sentence) {
        services.checks.violations().report(rule, Severity.WRONG, owner.owner(), 0, 0, 0, sentence);
    }
}
