package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.MappingType.Verdict;
import org.peerlane.dmabuf.api.MappingTypes;
import org.peerlane.dmabuf.api.MatchEntry;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile.Series;

/**
 * Finds the way in which an importer is given a buffer: the first pair of the exporter's order that
 * fits (IC-1 to IC-4). Without the series {@code maptypes} it is always the scatter list.
 *
 * <p><b>Threads.</b> That of the attach.
 */
final class Negotiation {
    private final BufferAttachment attachment;
    private final List<String> refusals = new ArrayList<>();

    Negotiation(BufferAttachment attachment) {
        this.attachment = attachment;
    }

    /** {@return what an importer accepts that knows nothing of mapping types} */
    static List<MatchEntry> scatterListOnly(
            @Nullable ImporterDevice device, @Nullable AttachOperations operations) {
        return List.of(
                new MatchEntry(
                        MappingTypes.SGT,
                        device == null ? null : device.function(),
                        operations != null && operations.allowPeer2Peer(),
                        null));
    }

    /**
     * Keeps the result with the attachment.
     *
     * @throws ErrnoException {@code EINVAL} nothing fits; or what a type's match refuses with
     */
    void run(List<MatchEntry> importers) {
        if (!attachment.services().profile.has(Series.MAPTYPES)) {
            return;
        }
        for (MatchEntry exporter : offered()) {
            for (MatchEntry importer : importers) {
                if (exporter.type().equals(importer.type()) && fits(exporter, importer)) {
                    return;
                }
            }
        }
        throw new ErrnoException(
                Errno.EINVAL,
                "%s and %s have no mapping type in common: %s"
                        .formatted(
                                attachment.buffer(),
                                attachment.device().name(),
                                refusals.isEmpty()
                                        ? "offered are %s, accepted are %s"
                                                .formatted(names(offered()), names(importers))
                                        : String.join("; ", refusals)));
    }

    private boolean fits(MatchEntry exporter, MatchEntry importer) {
        Exporter its = attachment.buffer().exporter();
        Verdict verdict =
                attachment
                        .services()
                        .callouts
                        .ask(
                                attachment.buffer(),
                                its.callee(),
                                "match of " + exporter.type().name(),
                                () -> exporter.type().match(exporter, importer));
        if (verdict.errno() == 0 && verdict.peer2peer() && exporter.provider() != null) {
            PeerRoute route = PeerTables.route(attachment, exporter.provider());
            if (route.kind() == PeerRoute.Kind.NOT_SUPPORTED) {
                verdict = Verdict.refused(Errno.EOPNOTSUPP, "no route: " + route.reason());
            }
        }
        if (verdict.errno() == 0) {
            boolean negotiated = its.operations() instanceof DmaBufOperations.NegotiatedMapping;
            attachment.agreed(
                    exporter.type(), negotiated ? verdict.peer2peer() : attachment.peer2peer());
            return true;
        }
        refusals.add(exporter.type().name() + ": " + verdict.reason());
        if (verdict.errno() != Errno.EOPNOTSUPP.number()) {
            throw new ErrnoException(
                    Errno.of(verdict.errno()),
                    "%s refuses %s: %s"
                            .formatted(
                                    attachment.buffer(),
                                    attachment.device().name(),
                                    String.join("; ", refusals)));
        }
        return false;
    }

    private List<MatchEntry> offered() {
        Buffer buffer = attachment.buffer();
        Exporter its = buffer.exporter();
        if (its.operations() instanceof DmaBufOperations.NegotiatedMapping exporter) {
            return attachment
                    .services()
                    .callouts
                    .ask(
                            buffer,
                            its.callee(),
                            "mappingTypes",
                            () -> exporter.mappingTypes(buffer, attachment));
        }
        return List.of(new MatchEntry(MappingTypes.SGT, null, false, null));
    }

    private static List<String> names(List<MatchEntry> entries) {
        return entries.stream().map(entry -> entry.type().name()).toList();
    }
}
