package org.peerlane.iommu.core;

import org.peerlane.iommu.api.CoherentBuffer;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.MapAttributes;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/** Takes pages that the CPU and a device share. <b>Threads.</b> Any. */
final class CoherentMemory {
    private final PhysicalMemory memory;

    CoherentMemory(PhysicalMemory memory) {
        this.memory = memory;
    }

    CoherentBuffer allocate(DmaDevice device, long bytes) {
        long most = PhysicalMemory.PAGE_BYTES << PageAllocator.MAX_ORDER;
        if (bytes <= 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "%d bytes; expected 1 to %d".formatted(bytes, most));
        }
        if (bytes > most) {
            throw new ErrnoException(
                    Errno.ENOMEM, "%d bytes in one run; expected up to %d".formatted(bytes, most));
        }
        long pages = (bytes - 1) / PhysicalMemory.PAGE_BYTES;
        int order = 64 - Long.numberOfLeadingZeros(pages);
        long physical = memory.pages().allocate(order);
        try {
            zero(physical, PhysicalMemory.PAGE_BYTES << order);
            long address =
                    device.map(physical, bytes, DmaDirection.BIDIRECTIONAL, MapAttributes.NONE);
            return new CoherentBuffer(new PhysicalAddress(physical), address, bytes, order);
        } catch (RuntimeException e) {
            memory.pages().free(physical, order);
            throw e;
        }
    }

    void free(DmaDevice device, CoherentBuffer buffer) {
        device.unmap(buffer.dmaAddress(), buffer.bytes());
        memory.pages().free(buffer.physical().value(), buffer.order());
    }

    private void zero(long physical, long bytes) {
        MemoryRegion region = memory.find(physical);
        if (region == null) {
            throw new IllegalStateException("page 0x%x is not RAM".formatted(physical));
        }
        region.segment().asSlice(physical - region.range().first().value(), bytes).fill((byte) 0);
    }
}
