package org.peerlane.exporter.cmaheap;

import java.util.List;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ResidentBuffer;
import org.peerlane.dmabuf.api.ResidentHeap;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * A heap whose buffers are one run of memory each, of its area. Processes get pages as they touch
 * them (HP-31).
 *
 * <p><b>Threads.</b> Any.
 */
public final class CmaHeap extends ResidentHeap {
    private final PhysicalMemory memory;
    private final CmaArea area;

    CmaHeap(String name, DmaBufs dmabufs, PhysicalMemory memory, CmaArea area) {
        super(name, dmabufs, memory);
        this.memory = memory;
        this.area = area;
    }

    @Override
    protected ResidentBuffer take(long bytes) {
        long first = area.allocate(bytes);
        return new ResidentBuffer(
                memory,
                List.of(AddressRange.ofLength(new PhysicalAddress(first), bytes)),
                () -> area.free(first, bytes));
    }
}
