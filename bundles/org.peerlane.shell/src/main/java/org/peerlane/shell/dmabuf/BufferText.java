package org.peerlane.shell.dmabuf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.BufferInfo.AttachmentInfo;
import org.peerlane.dmabuf.api.BufferInfo.FenceInfo;
import org.peerlane.dmabuf.api.BufferInfo.MappingInfo;

/** One buffer, as text. */
final class BufferText {
    private final BufferInfo buffer;
    private final List<String> lines = new ArrayList<>();

    private BufferText(BufferInfo buffer) {
        this.buffer = buffer;
    }

    static String of(BufferInfo buffer) {
        BufferText text = new BufferText(buffer);
        text.facts();
        text.lock();
        buffer.fences().forEach(text::fence);
        buffer.attachments().forEach(text::attachment);
        return String.join("\n", text.lines);
    }

    private void add(String what, String value) {
        lines.add("%-12s %s".formatted(what, value));
    }

    private void facts() {
        add(
                "buffer",
                "%d, %s%s"
                        .formatted(
                                buffer.id(),
                                buffer.exporterName(),
                                buffer.name().isEmpty() ? "" : " '" + buffer.name() + "'"));
        add("owner", buffer.owner());
        add("size", "0x%x".formatted(buffer.size()));
        add("age", DmaBufText.seconds(buffer.ageNanos()));
        add("access", DmaBufText.access(buffer));
        add("generation", Long.toString(buffer.generation()));
        add(
                "held by",
                "%d references, %d pins, %d CPU mappings, %d kernel maps"
                        .formatted(
                                buffer.references(),
                                buffer.pins(),
                                buffer.cpuMappings(),
                                buffer.vmaps()));
    }

    private void lock() {
        String holder = buffer.lockHolder();
        add("reservation", holder == null ? "free" : "held by thread " + holder);
        buffer.lockWaiters().forEach(waiter -> lines.add("  waited for by thread " + waiter));
    }

    private void fence(FenceInfo fence) {
        lines.add(
                "fence        %s %d:%d %s %s of %s, unsignaled for %s"
                        .formatted(
                                fence.usage(),
                                fence.context(),
                                fence.seqno(),
                                fence.driverName(),
                                fence.timelineName(),
                                fence.owner(),
                                DmaBufText.seconds(fence.ageNanos())));
    }

    private void attachment(AttachmentInfo attachment) {
        lines.add(
                "attachment   %d %s of %s, %s, %s%s, %d pins"
                        .formatted(
                                attachment.id(),
                                attachment.device(),
                                attachment.owner(),
                                attachment.kind(),
                                attachment.mappingType(),
                                attachment.peer2peer() ? ", takes a peer's memory" : "",
                                attachment.pins()));
        for (MappingInfo mapping : attachment.mappings()) {
            lines.add(
                    "  mapping    %d generation %d, %s, %s, %d segments, %s old"
                            .formatted(
                                    mapping.id(),
                                    mapping.generation(),
                                    mapping.state()
                                            .name()
                                            .toLowerCase(Locale.ROOT)
                                            .replace('_', ' '),
                                    mapping.direction()
                                            .name()
                                            .toLowerCase(Locale.ROOT)
                                            .replace('_', ' '),
                                    mapping.segments(),
                                    DmaBufText.seconds(mapping.ageNanos())));
        }
    }
}
