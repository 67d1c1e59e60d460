package org.peerlane.iommu.core;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * RAM for page tables; a freed page is filled with leaves that lead astray, for who walks it still.
 * One segment serves all schedules.
 */
final class TestMemory implements PhysicalMemory, PageAllocator {
    static final long BASE = 0x10_0000;
    static final int PAGES = 1024;

    /** As an entry of VT-d's second stage: readable and writable. */
    private static final long FREED = 0xDEA_D000_0003L;

    private static final MemorySegment RAM =
            Arena.ofAuto().allocate(PAGES * PhysicalMemory.PAGE_BYTES, 4096);

    private final MemoryRegion region =
            new MemoryRegion(
                    "ram0", AddressRange.ofLength(new PhysicalAddress(BASE), RAM.byteSize()), RAM);
    private final BitSet taken = new BitSet();

    @Override
    public List<MemoryRegion> regions() {
        return List.of(region);
    }

    @Override
    public @Nullable MemoryRegion find(long physical) {
        return region.range().contains(new PhysicalAddress(physical)) ? region : null;
    }

    @Override
    public PageAllocator pages() {
        return this;
    }

    int takenPages() {
        return taken.cardinality();
    }

    void word(long physical, long value) {
        RAM.set(ValueLayout.JAVA_LONG.withOrder(LITTLE_ENDIAN), physical - BASE, value);
    }

    @Override
    public void read(long physical, MemorySegment target, long offset, long bytes) {
        MemorySegment.copy(RAM, physical - BASE, target, offset, bytes);
    }

    @Override
    public void write(long physical, MemorySegment source, long offset, long bytes) {
        MemorySegment.copy(source, offset, RAM, physical - BASE, bytes);
    }

    @Override
    public long allocate(int order) {
        int size = 1 << order;
        for (int at = 0; at + size <= PAGES; at += size) {
            int next = taken.nextSetBit(at);
            if (next < 0 || next >= at + size) {
                taken.set(at, at + size);
                return BASE + at * PAGE_BYTES;
            }
        }
        throw new ErrnoException(Errno.ENOMEM, "no page of " + PAGES);
    }

    @Override
    public long allocateRange(long pages) {
        throw new UnsupportedOperationException("no table is that long");
    }

    @Override
    public void free(long physical, int order) {
        int at = (int) ((physical - BASE) / PAGE_BYTES);
        if (!taken.get(at)) {
            throw new IllegalStateException("page 0x%x is not taken".formatted(physical));
        }
        taken.clear(at, at + (1 << order));
        for (long word = 0; word < PAGE_BYTES << order; word += 8) {
            word(physical + word, FREED);
        }
    }

    @Override
    public long freeRuns(int order) {
        return 0;
    }

    @Override
    public long freePages() {
        return PAGES - taken.cardinality();
    }

    @Override
    public long totalPages() {
        return PAGES;
    }

    @Override
    public void failNext(int order, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void failNth(long nth) {
        throw new UnsupportedOperationException();
    }
}
