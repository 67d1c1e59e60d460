package org.peerlane.exporter.udmabuf;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ResidentBuffer;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.memory.api.PinnedPages;

/**
 * A buffer of pinned pages of memfds: one entry for each page, never merged (UB-2, UB-4).
 *
 * <p><b>Life.</b> That of the buffer; its end unpins. <b>Threads.</b> Any.
 */
final class UdmabufBuffer extends ResidentBuffer {
    /** Whether the CPU's access has ever begun, which maps it for the misc device. */
    private volatile boolean mappedForCpu;

    UdmabufBuffer(PhysicalMemory memory, List<PinnedPages> pinned) {
        super(memory, pages(pinned), () -> unpin(pinned));
    }

    private static List<AddressRange<PhysicalAddress>> pages(List<PinnedPages> pinned) {
        List<AddressRange<PhysicalAddress>> pages = new ArrayList<>();
        for (PinnedPages part : pinned) {
            for (int i = 0; i < part.count(); i++) {
                pages.add(
                        AddressRange.ofLength(
                                new PhysicalAddress(part.physical(i)), PhysicalMemory.PAGE_BYTES));
            }
        }
        return pages;
    }

    static void unpin(List<PinnedPages> pinned) {
        pinned.forEach(part -> part.unpin(false));
    }

    @Override
    public void beginCpuAccess(DmaBuf buffer, DmaDirection direction) {
        mappedForCpu = true;
    }

    /** What never began cannot end (UB-4). */
    @Override
    public void endCpuAccess(DmaBuf buffer, DmaDirection direction) {
        if (!mappedForCpu) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "the end of the CPU's access to %s; expected one that has begun"
                            .formatted(buffer));
        }
    }
}
