package org.peerlane.dmabuf.core;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Stand where the operations of an exporter stood that has left. Nothing new is possible; what
 * devices still have is taken back through their own DMA addresses.
 *
 * <p><b>Storage.</b> Mostly the exporter has freed it before it left, since nobody had it mapped.
 * Where somebody could not be made to let go, its release is kept, and is called when the last
 * mapping and the last address of the kernel's have gone.
 *
 * <p><b>Threads.</b> Any.
 */
final class Tombstones implements DmaBufOperations {
    private final Services services;

    /** Whose release has not been called; null: it has. */
    private final AtomicReference<@Nullable DmaBufOperations> retained;

    /**
     * @param retained the exporter's operations if its storage is still in use
     */
    Tombstones(Services services, @Nullable DmaBufOperations retained) {
        this.services = services;
        this.retained = new AtomicReference<>(retained);
    }

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        throw new ErrnoException(
                Errno.ENODEV, "map of %s, whose exporter has left".formatted(attachment.buffer()));
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        takeBack((BufferAttachment) attachment, table);
    }

    /** [held] Frees the addresses of a table whose exporter is not there to do it. */
    static void takeBack(BufferAttachment attachment, SgTable table) {
        if (attachment.peerTables().forget(table)) {
            return;
        }
        DmaDevice dma = attachment.device().dma();
        if (dma != null) {
            dma.unmap(table);
        }
    }

    @Override
    public void release(DmaBuf buffer) {
        freeStorage((Buffer) buffer);
    }

    /** Nobody uses the storage any more. Again does nothing. */
    void freeStorage(Buffer buffer) {
        DmaBufOperations exporters = retained.getAndSet(null);
        if (exporters != null) {
            services.callouts.tell(
                    buffer, services.self, "release", () -> exporters.release(buffer));
        }
    }
}
