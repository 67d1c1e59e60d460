package org.peerlane.iommu.core;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.iommu.api.CoherentBuffer;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.IovaRange;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.iommu.core.table.Gather;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * A function behind the IOMMU. Kernel counterpart: drivers/iommu/dma-iommu.c.
 *
 * <p><b>Cost.</b> Map and unmap of up to 128 KiB: a cached IOVA, the page table, and in strict mode
 * the flush; no allocation.
 */
final class MappedDevice implements DmaDevice {
    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    private final Requester requester;
    private final Domain domain;
    private final IovaAllocator iovas;
    private final @Nullable FlushQueue queue;
    private final CoherentMemory coherent;
    private volatile long mask = 0xFFFF_FFFFL;

    /**
     * @param queue of lazy mode; null: strict
     */
    MappedDevice(
            Requester requester,
            Domain domain,
            IovaAllocator iovas,
            @Nullable FlushQueue queue,
            PhysicalMemory memory) {
        this.requester = requester;
        this.domain = domain;
        this.iovas = iovas;
        this.queue = queue;
        coherent = new CoherentMemory(memory);
    }

    @Override
    public boolean isTranslated() {
        return true;
    }

    @Override
    public void mask(int bits) {
        mask = Masks.ofBits(bits);
    }

    @Override
    public long mask() {
        return mask;
    }

    @Override
    public long map(long physical, long bytes, DmaDirection direction, int attributes) {
        Masks.checkBytes(bytes);
        long offset = physical & PAGE - 1;
        long size = roundUp(offset + bytes);
        long iova = allocate(size);
        try {
            domain.map(iova, physical - offset, size, protection(direction, attributes));
        } catch (RuntimeException e) {
            iovas.free(iova, size);
            throw e;
        }
        return iova + offset;
    }

    @Override
    public void unmap(long address, long bytes) {
        Masks.checkBytes(bytes);
        long iova = address & -PAGE;
        long size = roundUp((address & PAGE - 1) + bytes);
        unmap(iova, size, iova, size);
    }

    /** Takes a mapping out, and after the flush gives a block of IOVA that it was in back. */
    private void unmap(long iova, long size, long block, long blockSize) {
        Gather gather = domain.takeGather();
        long done = domain.unmap(iova, size, gather);
        if (done != size) {
            domain.flush(gather);
            throw new IllegalStateException(
                    "unmap of iova 0x%x, 0x%x bytes: 0x%x bytes were mapped"
                            .formatted(iova, size, done));
        }
        if (queue != null) {
            queue.add(block, blockSize, gather);
            domain.giveBack(gather);
        } else {
            domain.flush(gather);
            iovas.free(block, blockSize);
        }
    }

    @SuppressWarnings("ReferenceEquality")
    private void checkOwner() {
        Domain now = requester.untagged;
        if (now != domain) {
            throw new ErrnoException(
                    Errno.EBUSY,
                    "%s is in %s; the DMA API maps into %s only"
                            .formatted(requester.address, now, domain));
        }
    }

    private long allocate(long size) {
        checkOwner();
        long iova = iovas.allocate(size, mask);
        if (iova == 0) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "no 0x%x bytes of IOVA are free below 0x%x".formatted(size, mask));
        }
        return iova;
    }

    private static int protection(DmaDirection direction, int attributes) {
        return direction.protection()
                | ((attributes & MapAttributes.MMIO) != 0 ? IommuDomain.MMIO : IommuDomain.CACHE);
    }

    private static long roundUp(long bytes) {
        return bytes + PAGE - 1 & -PAGE;
    }

    @Override
    public CoherentBuffer allocateCoherent(long bytes) {
        return coherent.allocate(this, bytes);
    }

    @Override
    public void freeCoherent(CoherentBuffer buffer) {
        coherent.free(this, buffer);
    }

    @Override
    public SgTable map(
            List<AddressRange<PhysicalAddress>> runs, DmaDirection direction, int attributes) {
        SgBuilder.check(runs);
        long total = 0;
        for (AddressRange<PhysicalAddress> run : runs) {
            total += roundUp((run.first().value() & PAGE - 1) + run.bytes());
        }
        long block = allocate(total);
        SgBuilder entries = new SgBuilder();
        long at = block;
        try {
            for (AddressRange<PhysicalAddress> run : runs) {
                long offset = run.first().value() & PAGE - 1;
                long size = roundUp(offset + run.bytes());
                domain.map(
                        at, run.first().value() - offset, size, protection(direction, attributes));
                entries.join(at + offset, run.bytes());
                at += size;
            }
        } catch (RuntimeException e) {
            undo(block, at - block, total);
            throw e;
        }
        return entries.build(new Block(block, total));
    }

    private void undo(long block, long mapped, long total) {
        if (mapped == 0) {
            iovas.free(block, total);
        } else {
            unmap(block, mapped, block, total);
        }
    }

    @Override
    public SgTable mapPeer(
            PeerRoute route, List<AddressRange<PhysicalAddress>> runs, DmaDirection direction) {
        return switch (route.kind()) {
            case BUS_ADDRESS -> PeerAddresses.onBus(route, runs);
            case THROUGH_HOST_BRIDGE -> linkPeer(runs, direction);
            case NOT_SUPPORTED -> throw PeerAddresses.refused(route);
        };
    }

    /** One block for all runs, linked one by one, one sync, one contiguous range (P2-6, PP-7). */
    private SgTable linkPeer(List<AddressRange<PhysicalAddress>> runs, DmaDirection direction) {
        SgBuilder.check(runs);
        long total = 0;
        for (AddressRange<PhysicalAddress> run : runs) {
            total += run.bytes(); // 64 bits (P2-9)
        }
        LinkedRange range = new LinkedRange(roundUp(total), allocate(roundUp(total)));
        long linked = 0;
        try {
            for (AddressRange<PhysicalAddress> run : runs) {
                range.link(run.first().value(), linked, run.bytes(), direction, MapAttributes.MMIO);
                linked += run.bytes();
            }
            range.sync(0, linked);
        } catch (RuntimeException e) {
            range.destroy(linked);
            throw e;
        }
        SgBuilder entries = new SgBuilder();
        entries.add(range.address(), total);
        return entries.build(new Block(range.address(), range.bytes()));
    }

    @Override
    public void unmap(SgTable table) {
        if (!(table.origin() instanceof Block block)) {
            PeerAddresses.takeBack(table);
            return;
        }
        if (!block.owned(this) || !block.live.getAndSet(false)) {
            throw new IllegalStateException(
                    "a scatter list that was unmapped before, or of another function");
        }
        unmap(block.iova, block.bytes, block.iova, block.bytes);
    }

    @Override
    public @Nullable IovaRange tryAllocate(long bytes) {
        Masks.checkBytes(bytes);
        checkOwner();
        long size = roundUp(bytes);
        long iova = iovas.allocate(size, mask);
        return iova == 0 ? null : new LinkedRange(size, iova);
    }

    /** The IOVA behind a scatter list. */
    private final class Block {
        private final long iova;
        private final long bytes;
        private final AtomicBoolean live = new AtomicBoolean(true);

        Block(long iova, long bytes) {
            this.iova = iova;
            this.bytes = bytes;
        }

        boolean owned(MappedDevice device) {
            return device == MappedDevice.this;
        }
    }

    /** See {@link IovaRange}. */
    private final class LinkedRange implements IovaRange {
        private final long size;
        private final long iova;
        private boolean gone;

        LinkedRange(long size, long iova) {
            this.size = size;
            this.iova = iova;
        }

        @Override
        public long address() {
            return iova;
        }

        @Override
        public long bytes() {
            return size;
        }

        private void check(long offset, long bytes) {
            if (gone) {
                throw new ErrnoException(
                        Errno.EINVAL, "iova 0x%x has been given back".formatted(iova));
            }
            if (bytes <= 0 || offset < 0 || (offset & PAGE - 1) != 0 || offset > size - bytes) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "offset 0x%x, 0x%x bytes; expected a page-aligned piece of 0x%x bytes"
                                .formatted(offset, bytes, size));
            }
        }

        @Override
        public void link(
                long physical, long offset, long bytes, DmaDirection direction, int attributes) {
            check(offset, bytes);
            if ((physical & PAGE - 1) != 0) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "link of physical 0x%x; expected a page-aligned address"
                                .formatted(physical));
            }
            domain.map(iova + offset, physical, roundUp(bytes), protection(direction, attributes));
        }

        @Override
        public void sync(long offset, long bytes) {
            check(offset, bytes); // absent entries are not cached: nothing to flush (PT-50)
        }

        @Override
        public void unlink(long offset, long bytes) {
            check(offset, bytes);
            Gather gather = domain.takeGather();
            long done = domain.unmap(iova + offset, roundUp(bytes), gather);
            domain.flush(gather);
            if (done != roundUp(bytes)) {
                throw new IllegalStateException(
                        "unlink of iova 0x%x, 0x%x bytes: 0x%x bytes were linked"
                                .formatted(iova + offset, bytes, done));
            }
        }

        @Override
        public void destroy(long mapped) {
            if (mapped == 0) {
                free();
                return;
            }
            check(0, mapped);
            gone = true;
            unmap(iova, roundUp(mapped), iova, size);
        }

        @Override
        public void free() {
            check(0, size);
            gone = true;
            iovas.free(iova, size);
        }
    }
}
