package org.peerlane.exporter.vfio;

import java.util.List;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.kernel.api.Profile;

/**
 * Slices of a BAR, as a buffer. They never move; access is taken away and given back by {@link
 * Exports}. Kernel counterpart: {@code struct vfio_pci_dma_buf}.
 *
 * <p><b>Life.</b> That of the buffer, which may outlive the function. <b>Threads.</b> Any.
 */
class BarBuffer
        implements DmaBufOperations, DmaBufOperations.Pinning, DmaBufOperations.PhysicalRanges {
    private final Surroundings surroundings;
    private final Exports exports;
    private final PeerProvider provider;

    /** In the order of the buffer's bytes. */
    final List<AddressRange<PhysicalAddress>> ranges;

    BarBuffer(
            Surroundings surroundings,
            Exports exports,
            PeerProvider provider,
            List<AddressRange<PhysicalAddress>> ranges) {
        this.surroundings = surroundings;
        this.exports = exports;
        this.provider = provider;
        this.ranges = List.copyOf(ranges);
    }

    @Override
    public void attach(DmaBuf buffer, Attachment attachment) {
        if (!attachment.peer2peer()) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s takes no peer's memory, and %s is a BAR"
                            .formatted(attachment.device().name(), buffer));
        }
        if (!attachment.isRevocable()) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s cannot be told that access to %s ends"
                            .formatted(attachment.device().name(), buffer));
        }
    }

    @Override
    public SgTable map(Attachment attachment, DmaDirection direction) {
        return surroundings.dmabufs.mapPeer(attachment, provider, ranges, direction);
    }

    @Override
    public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
        surroundings.dmabufs.freeSgTable(attachment, table, direction);
    }

    /** It is always where it is (RK-18). */
    @Override
    public void pin(Attachment attachment) {
        if (!surroundings.profile.atLeast(Profile.Base.V7_1)) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s pins a BAR, which %s does not allow"
                            .formatted(attachment.device().name(), surroundings.profile.base()));
        }
    }

    @Override
    public void unpin(Attachment attachment) {}

    @Override
    public PhysicalList mapPhysical(Attachment attachment) {
        if (ranges.size() != 1) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "%s has %d ranges; only one can be handed over"
                            .formatted(attachment.buffer(), ranges.size()));
        }
        return new PhysicalList(ranges, true);
    }

    @Override
    public void unmapPhysical(Attachment attachment, PhysicalList list) {}

    @Override
    public void release(DmaBuf buffer) {
        exports.remove(buffer);
    }
}
