package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.BufferInfo.AttachmentInfo;
import org.peerlane.dmabuf.api.BufferInfo.FenceInfo;
import org.peerlane.dmabuf.api.BufferInfo.MappingInfo;
import org.peerlane.dmabuf.api.RevokeState;

/** Why a buffer is alive and what a revoke of it waits for, in words. */
final class Reasons {
    private final BufferInfo info;
    private final @Nullable String revoker;
    private final int armedPolls;
    private final List<String> lines = new ArrayList<>();

    Reasons(BufferInfo info, @Nullable String revoker, int armedPolls) {
        this.info = info;
        this.revoker = revoker;
        this.armedPolls = armedPolls;
    }

    List<String> lines() {
        lines.add(
                "%s#%d%s of %s: %d references, %s, generation %d"
                        .formatted(
                                info.exporterName(),
                                info.id(),
                                info.name().isEmpty() ? "" : " '" + info.name() + "'",
                                info.owner(),
                                info.references(),
                                info.revokeState(),
                                info.generation()));
        if (revoker != null) {
            lines.add(
                    "revoke: thread %s %s"
                            .formatted(
                                    revoker,
                                    info.revokeState() == RevokeState.REVOKING
                                            ? "waits for the fences and mappings below"
                                            : "is at work"));
        }
        if (info.lockHolder() != null) {
            lines.add("reservation: held by thread " + info.lockHolder());
        }
        for (String waiter : info.lockWaiters()) {
            lines.add("reservation: thread %s waits for it".formatted(waiter));
        }
        info.fences().forEach(this::fence);
        info.attachments().forEach(this::attachment);
        count(info.cpuMappings(), "CPU mappings, a reference each");
        count(armedPolls, "armed polls, a reference each");
        count(info.vmaps(), "kernel maps; the storage stays where it is");
        int known = info.cpuMappings() + armedPolls;
        if (info.references() > known) {
            lines.add(
                    "references: %d of descriptors, importers and other holders"
                            .formatted(info.references() - known));
        }
        return lines;
    }

    private void fence(FenceInfo fence) {
        lines.add(
                "fence: %s %d:%d of %s (%s, %s), unsignaled for %s"
                        .formatted(
                                fence.usage(),
                                fence.context(),
                                fence.seqno(),
                                fence.driverName(),
                                fence.timelineName(),
                                fence.owner(),
                                seconds(fence.ageNanos())));
    }

    private void attachment(AttachmentInfo attachment) {
        lines.add(
                "attachment %d: %s of %s, %s, %d pins, %d mappings"
                        .formatted(
                                attachment.id(),
                                attachment.device(),
                                attachment.owner(),
                                attachment.kind(),
                                attachment.pins(),
                                attachment.mappings().size()));
        for (MappingInfo mapping : attachment.mappings()) {
            lines.add(
                    "  mapping %d: %s, generation %d, %s, %d segments, for %s"
                            .formatted(
                                    mapping.id(),
                                    mapping.state(),
                                    mapping.generation(),
                                    mapping.direction(),
                                    mapping.segments(),
                                    seconds(mapping.ageNanos())));
        }
    }

    private void count(int count, String what) {
        if (count > 0) {
            lines.add("%d %s".formatted(count, what));
        }
    }

    private static String seconds(long nanos) {
        return "%.3f s".formatted(nanos / 1e9);
    }
}
