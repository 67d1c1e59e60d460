package org.peerlane.dmabuf.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.iommu.api.DmaDirection;

/**
 * A buffer as it was at one moment.
 *
 * @param id its number
 * @param name the name it was given; empty without
 * @param exporterName its exporter
 * @param owner the bundle that exported it
 * @param size bytes
 * @param flags of its file
 * @param references how many hold it
 * @param revokeState whether access is allowed
 * @param pins pins of all attachments
 * @param vmaps how often the kernel addresses it
 * @param cpuMappings mappings in processes
 * @param generation how often it was invalidated
 * @param ageNanos since its export
 * @param lockHolder the thread that has its reservation, or null
 * @param lockWaiters the threads that wait for it
 * @param fences unsignaled ones
 * @param attachments in order
 */
public record BufferInfo(
        long id,
        String name,
        String exporterName,
        String owner,
        long size,
        int flags,
        int references,
        RevokeState revokeState,
        int pins,
        int vmaps,
        int cpuMappings,
        long generation,
        long ageNanos,
        @Nullable String lockHolder,
        List<String> lockWaiters,
        List<FenceInfo> fences,
        List<AttachmentInfo> attachments) {

    /**
     * A fence of its reservation.
     *
     * @param usage under which class
     * @param driverName its issuer
     * @param timelineName its timeline
     * @param context the timeline's number
     * @param seqno its place
     * @param owner the bundle that made it
     * @param ageNanos since it was published
     */
    public record FenceInfo(
            FenceUsage usage,
            String driverName,
            String timelineName,
            long context,
            long seqno,
            String owner,
            long ageNanos) {}

    /**
     * One attachment.
     *
     * @param id its number
     * @param device its device
     * @param owner the bundle that attached
     * @param kind static, dynamic, pinned, or revocable
     * @param peer2peer whether it takes a peer's memory
     * @param mappingType how it maps
     * @param pins its pins
     * @param mappings what is mapped
     */
    public record AttachmentInfo(
            long id,
            String device,
            String owner,
            String kind,
            boolean peer2peer,
            String mappingType,
            int pins,
            List<MappingInfo> mappings) {}

    /**
     * One mapping.
     *
     * @param id its number
     * @param generation the buffer's when it was made
     * @param state where in its life
     * @param direction which way data may go
     * @param segments entries of its table
     * @param ageNanos since it was made
     */
    public record MappingInfo(
            long id,
            long generation,
            MappingState state,
            DmaDirection direction,
            int segments,
            long ageNanos) {}
}
