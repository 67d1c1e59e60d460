package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBufOperations.PhysicalRanges;
import org.peerlane.dmabuf.api.MappingTypes;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.shadow.ShadowIndex;
import org.peerlane.iommu.api.DmaDirection;
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
        final List<PhysicalObservation> observations = new ArrayList<>(0);

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
        Buffer buffer = attachment.buffer();
        Exporter exporter = buffer.exporter();
        PhysicalRanges ranges = ranges(exporter);
        PhysicalList list =
                attachment
                        .services()
                        .callouts
                        .<@Nullable PhysicalList>ask(
                                buffer,
                                exporter.callee(),
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
    private PhysicalRanges ranges(Exporter exporter) {
        Buffer buffer = attachment.buffer();
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
        if (!(exporter.operations() instanceof PhysicalRanges ranges)
                || !negotiated && !GRANTED.contains(buffer.exporterName())) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s does not tell %s where it is"
                            .formatted(buffer, attachment.device().name()));
        }
        return ranges;
    }

    /** As {@link Attachment#observe}. */
    PhysicalObservation observe(
            PhysicalList list,
            PcieFunction function,
            int pasid,
            long iova,
            long bytes,
            DmaDirection direction) {
        Told its = find(list);
        if (its == null) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "observe of %s with ranges that %s has not been told or has given back"
                            .formatted(attachment.buffer(), attachment.device().name()));
        }
        if (bytes <= 0 || Long.compareUnsigned(iova + (bytes - 1), iova) < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "observe of %d bytes at %#x; expected at least 1, below the end of all addresses"
                            .formatted(bytes, iova));
        }
        PhysicalObservation observation = new PhysicalObservation(attachment);
        ShadowIndex shadow = attachment.services().shadow;
        if (shadow != null) {
            observation.entry(
                    shadow.add(
                            observation,
                            Observed.requester(function),
                            pasid < 0
                                    ? DmaAttributes.NONE
                                    : DmaAttributes.withPasid(DmaAttributes.NONE, pasid),
                            new long[] {iova, iova + (bytes - 1)},
                            direction == DmaDirection.TO_DEVICE));
        }
        its.observations.add(observation);
        return observation;
    }

    private @Nullable Told find(PhysicalList list) {
        for (Told one : told) {
            if (isSame(one.list, list)) {
                return one;
            }
        }
        return null;
    }

    void unmap(PhysicalList list) {
        Told its = find(list);
        if (its != null) {
            its.observations.forEach(PhysicalObservation::close);
            told.remove(its);
        } else if (attachment.isTakenBack()) {
            return; // it has been done for the importer, which was late
        } else {
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
        Exporter exporter = attachment.buffer().exporter();
        if (exporter.operations() instanceof PhysicalRanges ranges) {
            attachment
                    .services()
                    .callouts
                    .tell(
                            attachment.buffer(),
                            exporter.callee(),
                            "unmapPhysical",
                            () -> ranges.unmapPhysical(attachment, list));
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very list
    private static boolean isSame(PhysicalList one, PhysicalList other) {
        return one == other;
    }

    /** Gives all of it back for an importer that was late or leaves. {@return how many} */
    int takeBack() {
        List<Told> all = List.copyOf(told);
        all.forEach(one -> unmap(one.list));
        return all.size();
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
