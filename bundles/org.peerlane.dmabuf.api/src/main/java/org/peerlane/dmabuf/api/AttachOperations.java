package org.peerlane.dmabuf.api;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * What a dynamic importer can digest and how it is told. Kernel counterpart: {@code struct
 * dma_buf_attach_ops}.
 *
 * @param allowPeer2Peer whether it takes memory without pages and bus addresses (PP-11)
 * @param invalidate its callback; null for an importer that pins and cannot be revoked (DB-21)
 */
public record AttachOperations(boolean allowPeer2Peer, @Nullable InvalidateMappings invalidate) {
    /**
     * The callback. Kernel counterpart: {@code invalidate_mappings}, {@code move_notify} before.
     */
    @FunctionalInterface
    @ConsumerType
    public interface InvalidateMappings {
        /**
         * [held] Every mapping of the attachment is stale: start no new access through it, and have
         * what is running represented by fences in the reservation, or end it before returning
         * (DY-1 to DY-8). May come at any time between attach and detach, repeatedly, with nothing
         * mapped. May not map, attach, detach, invalidate or wait for user space. Cannot fail.
         */
        void invalidateMappings(Attachment attachment);

        /**
         * [held] {@return how many accesses of its device through mappings of the attachment run
         * now with no fence in the reservation to stand for them; below 0 if it cannot say} Asked
         * after the callback while checks are on: anything above 0 is reported (DY-2, CK-64).
         */
        default long inFlight(Attachment attachment) {
            return -1;
        }
    }
}
