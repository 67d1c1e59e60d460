package org.peerlane.dmabuf.core;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.MappingTypes;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Map and unmap of one buffer, in the kernel's order: pin if static, ask the exporter, wait if
 * static, copy (DB-31 to DB-39). What fails half-way is undone backwards.
 *
 * <p><b>Locks.</b> Everything under the reservation.
 */
final class MapProtocol {
    private final Buffer buffer;
    private final Services services;

    /** A mapping in the making. */
    private static final class Making {
        boolean pinned;
        @Nullable SgTable table;
        List<Fence> moves = List.of();
    }

    MapProtocol(Buffer buffer, Services services) {
        this.buffer = buffer;
        this.services = services;
    }

    /** [held] As {@link BufferAttachment#map}. */
    BufferMapping map(BufferAttachment attachment, DmaDirection direction) {
        attachment.requireUsable("map");
        requireScatterList(attachment);
        Making making = new Making();
        try {
            services.points.mapEntered.reached();
            return map(attachment, direction, making);
        } catch (RuntimeException | Error e) { // an action at a checkpoint may throw anything
            undo(attachment, direction, making);
            throw e;
        }
    }

    private BufferMapping map(BufferAttachment attachment, DmaDirection direction, Making making) {
        SgTable kept = attachment.attachTimeMap().table();
        if (kept != null) {
            return mapped(attachment, direction, kept, making, true);
        }
        if (!attachment.isDynamic() && buffer.pinning().isOffered()) {
            pin(attachment);
            making.pinned = true;
        }
        services.points.mapPinned.reached();
        SgTable table = ask(attachment, direction);
        making.table = table;
        services.points.mapMapped.reached();
        Reservation reservation = buffer.reservation();
        if (attachment.isDynamic()) {
            if (!reservation.testSignaled(FenceUsage.KERNEL)) {
                making.moves = reservation.getFences(FenceUsage.KERNEL);
            }
        } else {
            reservation.waitTimeout(FenceUsage.KERNEL, true, Reservation.NO_LIMIT);
        }
        return mapped(attachment, direction, table, making, false);
    }

    private BufferMapping mapped(
            BufferAttachment attachment,
            DmaDirection direction,
            SgTable table,
            Making making,
            boolean kept) {
        BufferMapping mapping =
                new BufferMapping(
                        services.mappings.incrementAndGet(),
                        attachment,
                        buffer.invalidation().current(),
                        direction,
                        table,
                        TableCheck.copy(table),
                        making.pinned,
                        kept,
                        making.moves,
                        services.execution.nanoTime());
        if (!kept) {
            look(attachment, mapping, table);
        }
        services.points.mapDone.reached();
        buffer.mapped().add(mapping);
        mapping.watch();
        if (services.trace.mapped.isOn()) {
            services.trace.mapped.emit(
                    new DmaBufEvents.DmaBufMapped(
                            buffer.id(),
                            attachment.id(),
                            mapping.id(),
                            mapping.generation(),
                            direction,
                            table.size()));
        }
        return mapping;
    }

    private void pin(BufferAttachment attachment) {
        try {
            buffer.pinning().pin(attachment);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EBUSY && buffer.warnOnce()) {
                services.report(
                        "DB-32",
                        Severity.HINT,
                        buffer.owner().owner(),
                        attachment,
                        0,
                        "%s refuses the pin that a static importer needs: %s"
                                .formatted(buffer.exporterName(), e.sentence()));
            }
            throw e;
        }
    }

    /** [held] {@return what the exporter answers, never null} */
    SgTable ask(BufferAttachment attachment, DmaDirection direction) {
        Exporter exporter = buffer.exporter();
        SgTable table =
                services.callouts.<@Nullable SgTable>ask(
                        buffer,
                        exporter.callee(),
                        "map",
                        () -> exporter.operations().map(attachment, direction));
        if (table == null) {
            services.report(
                    "DB-33",
                    Severity.WRONG,
                    buffer.owner().owner(),
                    attachment,
                    0,
                    "map of %s answered null".formatted(buffer));
            throw new ErrnoException(
                    Errno.ENOMEM, "%s gave no table for %s".formatted(buffer, attachment));
        }
        return table;
    }

    private void undo(BufferAttachment attachment, DmaDirection direction, Making making) {
        making.moves.forEach(Fence::put);
        SgTable table = making.table;
        if (table != null) {
            giveBack(attachment, table, direction);
        }
        if (making.pinned) {
            buffer.pinning().unpin(attachment);
        }
    }

    /** What an exporter answers is handed on as it is; what is wrong with it is said. */
    private void look(BufferAttachment attachment, BufferMapping mapping, SgTable table) {
        String mistake = TableCheck.mistake(table, buffer.size());
        if (mistake != null) {
            exporterMistake(
                    "DB-38", Severity.WRONG, attachment, mapping, "answered map with " + mistake);
        }
        int odd = services.checks.isOn() ? TableCheck.oddEntry(table) : -1;
        if (odd >= 0) {
            exporterMistake(
                    "DB-40",
                    Severity.HINT,
                    attachment,
                    mapping,
                    "made entry %d of %#x bytes at %#x, which is not whole pages"
                            .formatted(odd, table.length(odd), table.address(odd)));
        }
        BufferMapping latest = attachment.latest();
        if (latest != null
                && latest.state() != MappingState.UNMAPPED
                && isSame(latest.exporters(), table)) {
            services.report(
                    "DB-41",
                    Severity.WRONG,
                    attachment.owner().owner(),
                    attachment,
                    mapping.id(),
                    "%s maps %s again before unmap, and %s has one table per attachment"
                            .formatted(attachment.device().name(), buffer, buffer.exporterName()));
        }
        attachment.latest(mapping);
        if (buffer.revocation().isTaken()) {
            exporterMistake("CK-3", Severity.FATAL, attachment, mapping, "mapped while revoked");
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very table
    private static boolean isSame(@Nullable SgTable one, SgTable other) {
        return one == other;
    }

    private void exporterMistake(
            String rule,
            Severity severity,
            BufferAttachment attachment,
            BufferMapping mapping,
            String what) {
        services.report(
                rule,
                severity,
                buffer.owner().owner(),
                attachment,
                mapping.id(),
                "%s: exporter %s %s".formatted(buffer, buffer.exporterName(), what));
    }

    private void requireScatterList(BufferAttachment attachment) {
        if (!attachment.mappingType().equals(MappingTypes.SGT)) {
            String sentence =
                    "map of %s, whose mapping type is %s; expected SGT"
                            .formatted(attachment, attachment.mappingType().name());
            services.report(
                    "IC-6", Severity.FATAL, attachment.owner().owner(), attachment, 0, sentence);
            throw new ErrnoException(Errno.EOPNOTSUPP, sentence);
        }
    }

    /** [held] As {@link BufferAttachment#unmap}. */
    void unmap(BufferAttachment attachment, DmaBufMapping given, DmaDirection direction) {
        if (attachment.isTakenBack()
                && given instanceof BufferMapping late
                && late.isUnmapped()
                && late.attachment().equals(attachment)) {
            return; // it has been done for the importer, which was late
        }
        if (!(given instanceof BufferMapping mapping)
                || !mapping.attachment().equals(attachment)
                || !buffer.mapped().contains(mapping)) {
            throw services.broken(
                    "DB-36",
                    attachment.owner().owner(),
                    buffer,
                    "unmap of %s through %s, to which it does not belong or not any more"
                            .formatted(given, attachment));
        }
        if (mapping.direction() != direction) {
            services.report(
                    "DB-36",
                    Severity.WRONG,
                    attachment.owner().owner(),
                    attachment,
                    mapping.id(),
                    "unmap of %s as %s, though it was mapped as %s"
                            .formatted(mapping, direction, mapping.direction()));
        }
        services.points.unmapEntered.reached();
        mapping.end(services.execution.nanoTime());
        SgTable made = mapping.giveBack();
        if (!mapping.isKept()) {
            giveBack(attachment, made, mapping.direction());
        }
        if (mapping.isPinned()) {
            buffer.pinning().unpin(attachment);
        }
        buffer.mapped().remove(mapping);
        lookAtWork(attachment, mapping);
        if (services.trace.unmapped.isOn()) {
            services.trace.unmapped.emit(
                    new DmaBufEvents.DmaBufUnmapped(buffer.id(), attachment.id(), mapping.id()));
        }
        buffer.freeStorageIfLeft();
        services.points.unmapDone.reached();
    }

    /** An importer that takes its last addresses back has no work that uses them (CK-27). */
    private void lookAtWork(BufferAttachment attachment, BufferMapping mapping) {
        if (!services.checks.isOn() || attachment.isTakenBack()) {
            return;
        }
        String owner = attachment.owner().owner();
        if (owner.equals(buffer.owner().owner())) {
            return; // whose work it is, the importer's or the exporter's, cannot be told
        }
        for (BufferMapping other : buffer.mapped().all()) {
            if (other.attachment().owner().owner().equals(owner)) {
                return; // the work may go through that
            }
        }
        if (mapping.epoch().isBusyNow(owner, services.primitives)) {
            services.report(
                    "CK-27",
                    Severity.FATAL,
                    owner,
                    attachment,
                    mapping.id(),
                    "%s takes mapping %d of %s back, its last, while a fence of %s has not signaled; expected the work to have ended"
                            .formatted(attachment.device().name(), mapping.id(), buffer, owner));
        }
    }

    /** [held] The exporter takes a table back. */
    void giveBack(BufferAttachment attachment, SgTable table, DmaDirection direction) {
        Exporter exporter = buffer.exporter();
        boolean told =
                services.callouts.tell(
                        buffer,
                        exporter.callee(),
                        "unmap",
                        () -> exporter.operations().unmap(attachment, table, direction));
        if (!told) { // it has left in this very moment
            Tombstones.takeBack(attachment, table);
        }
    }
}
