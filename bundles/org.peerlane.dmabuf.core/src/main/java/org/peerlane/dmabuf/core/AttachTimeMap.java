package org.peerlane.dmabuf.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.DmaBufOperations.Pinning;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.kernel.api.Profile.Base;

/**
 * The one table of a static importer of storage that can move, as kernels up to 6.14 have it: made
 * and pinned at attach, answered by every map, taken back at detach (DB-27).
 *
 * <p><b>Locks.</b> Everything under the reservation.
 */
final class AttachTimeMap {
    private final BufferAttachment attachment;

    /** Null: each map is one of its own. */
    private @Nullable SgTable table;

    AttachTimeMap(BufferAttachment attachment) {
        this.attachment = attachment;
    }

    /** {@return what every map answers, or null} */
    @Nullable SgTable table() {
        return table;
    }

    private static boolean applies(BufferAttachment attachment, Profile profile) {
        return !profile.atLeast(Base.V6_19)
                && !attachment.isDynamic()
                && attachment.buffer().exporter().operations() instanceof Pinning;
    }

    /**
     * It is being attached.
     *
     * @throws org.peerlane.kernel.api.ErrnoException what pin or map of the exporter throw; nothing
     *     is pinned then
     */
    void make(Profile profile) {
        if (!applies(attachment, profile)) {
            return;
        }
        Buffer buffer = attachment.buffer();
        buffer.pinning().pin(attachment);
        try {
            table = buffer.mapper().ask(attachment, DmaDirection.BIDIRECTIONAL);
        } catch (RuntimeException | Error e) {
            buffer.pinning().unpin(attachment);
            throw e;
        }
    }

    /** It is being detached, or taken back. Again does nothing. */
    void end() {
        SgTable made = table;
        if (made != null) {
            table = null;
            Buffer buffer = attachment.buffer();
            buffer.mapper().giveBack(attachment, made, DmaDirection.BIDIRECTIONAL);
            buffer.pinning().unpin(attachment);
        }
    }
}
