package org.peerlane.iommu.core;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.iommu.api.CoherentBuffer;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.IovaRange;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * A function whose DMA addresses are physical: in pass-through mode, or without an IOMMU. Kernel
 * counterpart: kernel/dma/direct.c, without bounce buffers.
 */
final class DirectDevice implements DmaDevice {
    private final PhysicalMemory memory;
    private final CoherentMemory coherent;
    private volatile long mask = 0xFFFF_FFFFL;

    DirectDevice(PhysicalMemory memory) {
        this.memory = memory;
        coherent = new CoherentMemory(memory);
    }

    @Override
    public boolean isTranslated() {
        return false;
    }

    @Override
    public void mask(int bits) {
        long wanted = Masks.ofBits(bits);
        long lowest =
                memory.regions().stream()
                        .mapToLong(region -> region.range().first().value())
                        .min()
                        .orElse(0);
        if (Long.compareUnsigned(wanted, lowest + PhysicalMemory.PAGE_BYTES - 1) < 0) {
            throw new ErrnoException(
                    Errno.EIO,
                    "DMA mask of %d bits; memory starts at 0x%x".formatted(bits, lowest));
        }
        mask = wanted;
    }

    @Override
    public long mask() {
        return mask;
    }

    @Override
    public long map(long physical, long bytes, DmaDirection direction, int attributes) {
        Masks.checkBytes(bytes);
        long last = physical + bytes - 1;
        if (Long.compareUnsigned(last, physical) < 0 || Long.compareUnsigned(last, mask) > 0) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "physical 0x%x to 0x%x is beyond the DMA mask 0x%x"
                            .formatted(physical, last, mask));
        }
        return physical;
    }

    @Override
    public void unmap(long address, long bytes) {
        Masks.checkBytes(bytes);
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
        SgBuilder entries = new SgBuilder();
        for (AddressRange<PhysicalAddress> run : runs) {
            long at = map(run.first().value(), run.bytes(), direction, attributes);
            if ((attributes & MapAttributes.MMIO) != 0) {
                entries.add(at, run.bytes()); // each range singly (P2-6)
            } else {
                entries.join(at, run.bytes());
            }
        }
        return entries.build(new AtomicBoolean(true));
    }

    @Override
    public SgTable mapPeer(
            PeerRoute route, List<AddressRange<PhysicalAddress>> runs, DmaDirection direction) {
        return switch (route.kind()) {
            case BUS_ADDRESS -> PeerAddresses.onBus(route, runs);
            case THROUGH_HOST_BRIDGE -> map(runs, direction, MapAttributes.MMIO);
            case NOT_SUPPORTED -> throw PeerAddresses.refused(route);
        };
    }

    @Override
    public void unmap(SgTable table) {
        PeerAddresses.takeBack(table);
    }

    @Override
    public @Nullable IovaRange tryAllocate(long bytes) {
        return null;
    }
}
