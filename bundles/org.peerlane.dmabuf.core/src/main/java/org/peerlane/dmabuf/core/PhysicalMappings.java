package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBufOperations.PhysicalRanges;
import org.peerlane.dmabuf.api.MappingTypes;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile.Series;

/**
 * What one importer was told of where a buffer is. Without the series {@code maptypes} that is the
 * private interconnect: some exporters, by name, tell everybody who knows to ask (RK-31).
 *
 * <p><b>Life.</b> Ranges are valid until the importer's callback, so a revoke does not wait for
 * them. <b>Locks.</b> Everything under the reservation.
 */
final class PhysicalMappings {
    /** Exporters that the private interconnect knows. */
    private static final Set<String> GRANTED = Set.of("vfio-pci", "testkit");

    /** What an importer holds. */
    private static final class Told {
        final PhysicalList list;
        boolean valid = true;

        Told(PhysicalList list) {
            this.list = list;
        }
    }

    private final BufferAttachment attachment;
    private final List<Told> told = new ArrayList<>(0);

    PhysicalMappings(BufferAttachment attachment) {
        this.attachment = attachment;
    }

    PhysicalList map() {
        attachment.requireUsable("mapPhysical");
        PhysicalRanges ranges = exporter();
        Buffer buffer = attachment.buffer();
        PhysicalList list =
                attachment
                        .services()
                        .callouts
                        .<@Nullable PhysicalList>ask(
                                buffer,
                                buffer.owner().owner(),
                                "mapPhysical",
                                () -> ranges.mapPhysical(attachment));
        if (list == null) {
            attachment
                    .services()
                    .report(
                            "DB-33",
                            Severity.WRONG,
                            buffer.owner().owner(),
                            attachment,
                            0,
                            "mapPhysical of %s answered null".formatted(buffer));
            throw new ErrnoException(Errno.ENOMEM, "%s gave no ranges".formatted(buffer));
        }
        told.add(new Told(list));
        return list;
    }

    /** {@return who can tell} */
    private PhysicalRanges exporter() {
        Buffer buffer = attachment.buffer();
        PhysicalRanges ranges = attachment.physicalRanges();
        boolean negotiated = attachment.services().profile.has(Series.MAPTYPES);
        if (negotiated && !attachment.mappingType().equals(MappingTypes.PAL)) {
            String sentence =
                    "mapPhysical of %s, whose mapping type is %s; expected PAL"
                            .formatted(attachment, attachment.mappingType().name());
            attachment
                    .services()
                    .report(
                            "IC-6",
                            Severity.FATAL,
                            attachment.owner().owner(),
                            attachment,
                            0,
                            sentence);
            throw new ErrnoException(Errno.EOPNOTSUPP, sentence);
        }
        if (ranges == null || !negotiated && !GRANTED.contains(buffer.exporterName())) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s does not tell %s where it is"
                            .formatted(buffer, attachment.device().name()));
        }
        return ranges;
    }

    void unmap(PhysicalList list) {
        if (!told.removeIf(one -> isSame(one.list, list))) {
            Buffer buffer = attachment.buffer();
            throw attachment
                    .services()
                    .broken(
                            "CK-14",
                            attachment.owner().owner(),
                            buffer,
                            "unmapPhysical of %s with what %s has not been told or has given back"
                                    .formatted(buffer, attachment.device().name()));
        }
        PhysicalRanges ranges = attachment.physicalRanges();
        if (ranges != null) {
            attachment
                    .services()
                    .callouts
                    .tell(
                            attachment.buffer(),
                            attachment.buffer().owner().owner(),
                            "unmapPhysical",
                            () -> ranges.unmapPhysical(attachment, list));
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very list
    private static boolean isSame(PhysicalList one, PhysicalList other) {
        return one == other;
    }

    /** The importer's callback comes. */
    void ended() {
        told.forEach(one -> one.valid = false);
    }

    int valid() {
        int count = 0;
        for (Told one : told) {
            if (one.valid) {
                count++;
            }
        }
        return count;
    }
}
