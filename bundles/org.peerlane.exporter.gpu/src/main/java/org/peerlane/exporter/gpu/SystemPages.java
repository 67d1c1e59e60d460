package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.kernel.api.RefCount;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Zeroed pages of RAM, in as few runs as there can be.
 *
 * <p><b>Life.</b> Held by the buffer that they are of, and by each mapping of an importer's: a
 * device that has been told to stop may still read ahead until its driver unmaps (DY-12), and must
 * not find somebody else's bytes then. The last to let go frees them.
 *
 * <p><b>Threads.</b> Any.
 */
final class SystemPages {
    private final PhysicalMemory memory;
    private final List<Integer> orders = new ArrayList<>();
    private final List<AddressRange<PhysicalAddress>> ranges = new ArrayList<>();
    private final RefCount holders = new RefCount("pages of a GPU's buffer", this::giveBack);

    private SystemPages(PhysicalMemory memory) {
        this.memory = memory;
    }

    /**
     * Takes pages, held once.
     *
     * @param bytes whole pages
     * @throws ErrnoException {@code ENOMEM} not that many are free; none are taken
     */
    static SystemPages allocate(PhysicalMemory memory, long bytes) {
        SystemPages pages = new SystemPages(memory);
        boolean whole = false;
        try {
            int order = PageAllocator.MAX_ORDER;
            for (long left = bytes; left > 0; left -= pages.ranges.getLast().bytes()) {
                while (PhysicalMemory.PAGE_BYTES << order > left) {
                    order--;
                }
                order = pages.take(order);
            }
            whole = true;
            return pages;
        } finally {
            if (!whole) {
                pages.giveBack();
            }
        }
    }

    /** {@return the order that was to be had, which may be smaller} */
    private int take(int wanted) {
        for (int order = wanted; ; order--) {
            try {
                long physical = memory.pages().allocate(order);
                orders.add(order);
                ranges.add(
                        AddressRange.ofLength(
                                new PhysicalAddress(physical), PhysicalMemory.PAGE_BYTES << order));
                zero(physical, PhysicalMemory.PAGE_BYTES << order);
                return order;
            } catch (ErrnoException e) {
                if (order == 0) {
                    throw e;
                }
            }
        }
    }

    private void zero(long physical, long bytes) {
        MemoryRegion region = memory.find(physical);
        if (region == null) {
            throw new AssertionError("no RAM at 0x%x".formatted(physical));
        }
        region.segment().asSlice(physical - region.range().first().value(), bytes).fill((byte) 0);
    }

    private void giveBack() {
        for (int i = 0; i < orders.size(); i++) {
            memory.pages().free(ranges.get(i).first().value(), orders.get(i));
        }
    }

    List<AddressRange<PhysicalAddress>> ranges() {
        return ranges;
    }

    void get() {
        holders.get();
    }

    void put() {
        holders.put();
    }
}
