package org.peerlane.shell.iommu;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.DomainInfo;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.api.TableWalk;

/** The reports of {@link IommuCommand}, as text. */
final class IommuText {
    private IommuText() {}

    static String domains(List<DomainInfo> domains) {
        if (domains.isEmpty()) {
            return "no domains";
        }
        List<String> lines = new ArrayList<>();
        lines.add("id  kind      format  levels  mappings  bytes       attached");
        for (DomainInfo one : domains) {
            lines.add(
                    "%-3d %-9s %-7s %-7d %-9d 0x%-9x %s"
                            .formatted(
                                    one.id(),
                                    lower(one.kind()),
                                    one.format().map(IommuText::format).orElse("-"),
                                    one.levels(),
                                    one.mappings(),
                                    one.bytes(),
                                    attached(one.attached())));
        }
        return String.join("\n", lines);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** As a board names it. */
    private static String format(TableFormat format) {
        return switch (format) {
            case AMDV1 -> "amdv1";
            case VTD_SECOND_STAGE -> "vtd";
            case X86_64 -> "x86-64";
        };
    }

    private static String attached(List<DomainInfo.Attachment> attached) {
        return attached.isEmpty()
                ? "-"
                : attached.stream()
                        .map(a -> requester(a.function(), a.pasid()))
                        .collect(Collectors.joining(", "));
    }

    private static String requester(PcieAddress address, int pasid) {
        return pasid < 0 ? address.toString() : address + " PASID " + pasid;
    }

    static String walk(PcieAddress address, int pasid, long iova, TableWalk walk) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "%s iova 0x%x: %s"
                        .formatted(
                                requester(address, pasid),
                                iova,
                                walk.kind()
                                        .map(kind -> lower(kind) + " domain " + walk.domain())
                                        .orElse("in no domain")));
        for (TableWalk.Step step : walk.steps()) {
            lines.add(
                    "level %d  table 0x%x  index %3d  entry 0x%016x  %s"
                            .formatted(
                                    step.level(),
                                    step.table().value(),
                                    step.index(),
                                    step.entry(),
                                    step.text()));
        }
        lines.add("read     " + result(walk, walk.readFault()));
        lines.add("write    " + result(walk, walk.writeFault()));
        return String.join("\n", lines);
    }

    private static String result(TableWalk walk, Optional<FaultReason> fault) {
        return fault.map(reason -> "blocked: " + reason(reason))
                .orElseGet(() ->
                        walk.physical()
                                .map(at -> "goes to physical 0x%x".formatted(at.value()))
                                .orElse("goes nowhere"));
    }

    private static String reason(FaultReason reason) {
        return "%s (0x%x)".formatted(lower(reason), reason.code());
    }

    static String iotlb(List<IotlbEntry> entries) {
        return entries.isEmpty()
                ? "nothing is kept"
                : entries.stream()
                        .map(e ->
                                "domain %d  iova 0x%x  physical 0x%x  0x%x bytes  %s%s"
                                        .formatted(
                                                e.domain(),
                                                e.iova().value(),
                                                e.physical().value(),
                                                e.bytes(),
                                                e.read() ? "R" : "-",
                                                e.write() ? "W" : "-"))
                        .collect(Collectors.joining("\n"));
    }

    static String faults(List<FaultRecord> faults, long lost) {
        List<String> lines = new ArrayList<>();
        for (FaultRecord fault : faults) {
            lines.add(
                    "%s  %-5s  0x%x  %s"
                            .formatted(
                                    requester(fault.requester(), fault.pasid()),
                                    fault.write() ? "write" : "read",
                                    fault.address().value(),
                                    reason(fault.reason())));
        }
        if (lost > 0) {
            lines.add("%d more were lost: the record slots were full".formatted(lost));
        }
        return lines.isEmpty() ? "no faults" : String.join("\n", lines);
    }
}
