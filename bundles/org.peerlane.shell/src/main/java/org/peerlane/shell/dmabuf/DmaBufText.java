package org.peerlane.shell.dmabuf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.QuarantineInfo;
import org.peerlane.dmabuf.api.Violation;

/** The lists of {@link DmaBufCommand}, as text. */
final class DmaBufText {
    private DmaBufText() {}

    static String list(List<BufferInfo> buffers) {
        if (buffers.isEmpty()) {
            return "no buffers";
        }
        List<String> lines = new ArrayList<>();
        lines.add(
                "id    exporter      size          refs  attached  mapped  pins  fences  access    age         owner  name");
        for (BufferInfo one : buffers) {
            int mapped = one.attachments().stream().mapToInt(a -> a.mappings().size()).sum();
            lines.add(
                    "%-5d %-13s %-13s %-5d %-9d %-7d %-5d %-7d %-9s %-11s %s%s"
                            .formatted(
                                    one.id(),
                                    one.exporterName(),
                                    "0x%x".formatted(one.size()),
                                    one.references(),
                                    one.attachments().size(),
                                    mapped,
                                    one.pins(),
                                    one.fences().size(),
                                    access(one),
                                    seconds(one.ageNanos()),
                                    one.owner(),
                                    one.name().isEmpty() ? "" : "  " + one.name()));
        }
        return String.join("\n", lines);
    }

    /** {@return whether it may be used, in a word} */
    static String access(BufferInfo buffer) {
        return switch (buffer.revokeState()) {
            case OK -> "ok";
            case REVOKING -> "revoking";
            case REVOKED -> "revoked";
            case REVOKED_FOR_GOOD -> "gone";
        };
    }

    static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
    }

    static String violations(List<Violation> latest, long count, int most) {
        if (latest.isEmpty()) {
            return "no violations";
        }
        List<Violation> shown = latest.subList(Math.max(0, latest.size() - most), latest.size());
        List<String> lines = new ArrayList<>();
        if (count > shown.size()) {
            lines.add("%d before these:".formatted(count - shown.size()));
        }
        for (Violation one : shown) {
            lines.add(
                    "%-6s %-5s %s [%s]: %s"
                            .formatted(
                                    one.rule(),
                                    one.severity().name().toLowerCase(Locale.ROOT),
                                    one.owner(),
                                    one.thread(),
                                    one.sentence()));
        }
        return String.join("\n", lines);
    }

    static String departures(List<DepartureReport> reports) {
        List<String> lines = new ArrayList<>();
        for (DepartureReport one : reports) {
            lines.add(
                    "%s: %d buffers revoked, %d attachments and %d mappings taken back, %d fences ended, in %s"
                            .formatted(
                                    one.who(),
                                    one.buffers(),
                                    one.attachments(),
                                    one.mappings(),
                                    one.fences(),
                                    seconds(one.nanos())));
            if (!one.quarantined().isEmpty()) {
                lines.add("  in quarantine: " + String.join(", ", one.quarantined()));
            }
            one.unfinished().forEach(what -> lines.add("  not ended in time: " + what));
        }
        return DmaBufCommand.lines(lines, "nobody has left with anything in use");
    }

    static String quarantine(List<QuarantineInfo> devices) {
        List<String> lines = new ArrayList<>();
        for (QuarantineInfo one : devices) {
            lines.add(
                    "%s of %s, %s, for %s: %s"
                            .formatted(
                                    one.slot(),
                                    one.owner(),
                                    one.blocked()
                                            ? "blocked by the IOMMU"
                                            : "held by bus master alone",
                                    seconds(one.ageNanos()),
                                    one.why()));
        }
        return DmaBufCommand.lines(lines, "no device is in quarantine");
    }
}
