package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.BufferInfo;
import org.peerlane.dmabuf.api.BufferInfo.AttachmentInfo;
import org.peerlane.dmabuf.api.BufferInfo.FenceInfo;
import org.peerlane.dmabuf.api.BufferInfo.MappingInfo;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What people see of buffers (DB-67). Takes no reservation: a stuck buffer can be looked at.
 *
 * <p><b>Threads.</b> Any.
 */
final class Inspection {
    private final Services services;
    private final BufferRegistry registry;

    Inspection(Services services, BufferRegistry registry) {
        this.services = services;
        this.registry = registry;
    }

    List<BufferInfo> buffers() {
        List<BufferInfo> infos = new ArrayList<>();
        for (Buffer buffer : registry.all()) {
            try {
                infos.add(info(buffer));
            } finally {
                buffer.fileReference().put();
            }
        }
        return infos;
    }

    BufferInfo buffer(long id) {
        Buffer buffer = held(id);
        try {
            return info(buffer);
        } finally {
            buffer.fileReference().put();
        }
    }

    private Buffer held(long id) {
        Buffer buffer = registry.get(id);
        if (buffer == null) {
            throw new ErrnoException(Errno.ENOENT, "there is no buffer " + id);
        }
        return buffer;
    }

    /** {@return the buffer, its count without the reference of who looks} */
    private BufferInfo info(Buffer buffer) {
        return new BufferInfo(
                buffer.id(),
                buffer.name(),
                buffer.exporterName(),
                buffer.owner().owner(),
                buffer.size(),
                buffer.flags(),
                buffer.references() - 1,
                buffer.revokeState(),
                buffer.pins(),
                buffer.kernelMap().count(),
                buffer.processMappings().count(),
                buffer.invalidation().current().generation,
                age(buffer.created()),
                nameOf(services.primitives.holderOf(buffer.reservation())),
                services.primitives.waitersOf(buffer.reservation()),
                fences(buffer),
                attachments(buffer));
    }

    private static @Nullable String nameOf(@Nullable Thread thread) {
        return thread == null ? null : thread.getName();
    }

    private long age(long since) {
        return services.execution.nanoTime() - since;
    }

    private List<FenceInfo> fences(Buffer buffer) {
        List<FenceInfo> fences = new ArrayList<>();
        buffer.reservation()
                .forEachFence(
                        FenceUsage.BOOKKEEP,
                        (fence, usage) ->
                                fences.add(
                                        new FenceInfo(
                                                usage,
                                                fence.driverName(),
                                                fence.timelineName(),
                                                fence.context(),
                                                fence.seqno(),
                                                services.primitives.ownerOf(fence),
                                                services.primitives.ageOf(fence))));
        return fences;
    }

    private List<AttachmentInfo> attachments(Buffer buffer) {
        Map<BufferAttachment, List<MappingInfo>> mappings = new LinkedHashMap<>();
        for (BufferAttachment attachment : buffer.attached().snapshot()) {
            mappings.put(attachment, new ArrayList<>());
        }
        for (BufferMapping mapping : buffer.mapped().all()) {
            mappings.computeIfAbsent(mapping.attachment(), _ -> new ArrayList<>())
                    .add(
                            new MappingInfo(
                                    mapping.id(),
                                    mapping.generation(),
                                    mapping.state(),
                                    mapping.direction(),
                                    mapping.table().size(),
                                    age(mapping.created())));
        }
        List<AttachmentInfo> infos = new ArrayList<>();
        mappings.forEach((attachment, own) ->
                infos.add(
                        new AttachmentInfo(
                                attachment.id(),
                                attachment.device().name(),
                                attachment.owner().owner(),
                                kind(attachment),
                                attachment.peer2peer(),
                                attachment.mappingType().name(),
                                attachment.pins(),
                                List.copyOf(own))));
        return infos;
    }

    /** {@return its kind, as section 4.3 tells them apart} */
    private static String kind(BufferAttachment attachment) {
        if (!attachment.isDynamic()) {
            return "static";
        }
        if (!attachment.isRevocable()) {
            return "pinned";
        }
        return attachment.pins() > 0 ? "revocable" : "dynamic";
    }

    /** {@return as {@link org.peerlane.dmabuf.api.DmaBufDebug#why}} */
    List<String> why(long id) {
        Buffer buffer = held(id);
        try {
            Thread revoker = buffer.revocation().revoker();
            Reasons reasons =
                    new Reasons(
                            info(buffer),
                            revoker == null ? null : revoker.getName(),
                            buffer.polls().armed());
            List<String> lines = reasons.lines();
            if (revoker != null) {
                for (String chain : services.checks.why(revoker)) {
                    lines.add("why: the revoke of %s: %s".formatted(buffer, chain));
                }
            }
            Thread holder = services.primitives.holderOf(buffer.reservation());
            if (holder != null && !holder.equals(revoker)) {
                for (String chain : services.checks.why(holder)) {
                    lines.add("why: the reservation is held: " + chain);
                }
            }
            return lines;
        } finally {
            buffer.fileReference().put();
        }
    }
}
