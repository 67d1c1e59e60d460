package org.peerlane.iommu.core.table;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Table pages and their entries in the machine's memory.
 *
 * <p><b>Ordering.</b> Pointers to tables are loaded with acquire and stored with release, so that
 * who finds a table page finds it zeroed. Leaves are written by plain stores between fences: an
 * aligned long is never torn, and plain loops are several times as fast. <b>Cost.</b> No allocation
 * per access.
 */
final class TableMemory {
    /** An entry: little-endian, by segment and offset. */
    static final VarHandle ENTRY = JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final PageAllocator pages;
    private final MemorySegment[] segments;
    private final long[] first;
    private final long[] bytes;

    TableMemory(PhysicalMemory memory) {
        pages = memory.pages();
        List<MemoryRegion> regions = memory.regions();
        segments = regions.stream().map(MemoryRegion::segment).toArray(MemorySegment[]::new);
        first = regions.stream().mapToLong(r -> r.range().first().value()).toArray();
        bytes =
                regions.stream()
                        .mapToLong(r -> r.range().bytes() & -PhysicalMemory.PAGE_BYTES)
                        .toArray();
    }

    /** {@return which region holds a page, or -1: it is no RAM} */
    int region(long page) {
        for (int i = 0; i < first.length; i++) {
            if (Long.compareUnsigned(page - first[i], bytes[i]) < 0) {
                return i;
            }
        }
        return -1;
    }

    MemorySegment segment(int region) {
        return segments[region];
    }

    long first(int region) {
        return first[region];
    }

    /** {@return the bytes of the region's whole pages} */
    long bytes(int region) {
        return bytes[region];
    }

    /** As {@link #region}, for software: a table page that is no RAM is a damaged table. */
    int checkedRegion(long page) {
        int region = region(page);
        if (region < 0) {
            throw new IllegalStateException(
                    "table page 0x%x is not RAM: the table is damaged, or was freed"
                            .formatted(page));
        }
        return region;
    }

    long load(long slot) {
        int region = checkedRegion(slot);
        return (long) ENTRY.getAcquire(segments[region], slot - first[region]);
    }

    void store(long slot, long entry) {
        int region = checkedRegion(slot);
        ENTRY.setRelease(segments[region], slot - first[region], entry);
    }

    /** {@return what was there; {@code expected} if the entry is there now} */
    long exchange(long slot, long expected, long entry) {
        int region = checkedRegion(slot);
        return (long)
                ENTRY.compareAndExchange(segments[region], slot - first[region], expected, entry);
    }

    /** Clears bits of an entry, atomically. */
    void clearBits(long slot, long bits) {
        int region = checkedRegion(slot);
        long _ = (long) ENTRY.getAndBitwiseAnd(segments[region], slot - first[region], ~bits);
    }

    /**
     * Takes a page and zeroes it.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM}
     */
    long take() {
        long page = pages.allocate(0);
        int region = checkedRegion(page);
        segments[region].asSlice(page - first[region], PhysicalMemory.PAGE_BYTES).fill((byte) 0);
        return page;
    }

    void give(long page) {
        pages.free(page, 0);
    }
}
