package org.peerlane.iommu.core.table;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
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
 * RAM in two regions on the heap, and single pages of it in turn from both. A page that is free is
 * full of ones: who forgets to zero it, or reads it after giving it back, finds out.
 *
 * <p><b>Threads.</b> One, or those of a simulation: there is no switch point inside.
 */
final class PoisonedMemory implements PhysicalMemory, PageAllocator {
    static final long HIGH = 1L << 32;

    private final List<MemoryRegion> regions;
    private final int pagesPerRegion;
    private final BitSet taken = new BitSet();
    private final int[] free;
    private int freeCount;
    private long untilFailure;

    PoisonedMemory(int pagesPerRegion) {
        this.pagesPerRegion = pagesPerRegion;
        regions = List.of(region("ram0", 0), region("ram1", HIGH));
        free = new int[2 * pagesPerRegion];
        for (int i = free.length - 1; i >= 0; i--) {
            free[freeCount++] = i % 2 * pagesPerRegion + i / 2;
        }
    }

    private MemoryRegion region(String name, long at) {
        long[] content = new long[(int) (pagesPerRegion * PAGE_BYTES / 8)];
        Arrays.fill(content, -1);
        MemorySegment segment = MemorySegment.ofArray(content);
        return new MemoryRegion(
                name, AddressRange.ofLength(new PhysicalAddress(at), segment.byteSize()), segment);
    }

    /** {@return the eight bytes at a physical address} */
    long peek(long physical) {
        return segment(physical).get(JAVA_LONG_UNALIGNED, physical & HIGH - 1);
    }

    /** Damages memory. */
    void poke(long physical, long value) {
        segment(physical).set(JAVA_LONG_UNALIGNED, physical & HIGH - 1, value);
    }

    private MemorySegment segment(long physical) {
        return regions.get(physical >= HIGH ? 1 : 0).segment();
    }

    @Override
    public long allocate(int order) {
        if (order != 0) {
            throw new AssertionError("order " + order);
        }
        if (freeCount == 0 || untilFailure > 0 && --untilFailure == 0) {
            throw new ErrnoException(Errno.ENOMEM, "no page");
        }
        int page = free[--freeCount];
        taken.set(page);
        return page < pagesPerRegion
                ? page * PAGE_BYTES
                : HIGH + (page - pagesPerRegion) * PAGE_BYTES;
    }

    @Override
    public long allocateRange(long pages) {
        throw new UnsupportedOperationException("no table is that long");
    }

    @Override
    public void free(long physical, int order) {
        int page =
                (int) ((physical & HIGH - 1) / PAGE_BYTES)
                        + (physical >= HIGH ? pagesPerRegion : 0);
        if (!taken.get(page)) {
            throw new IllegalStateException("free of 0x%x: it is not taken".formatted(physical));
        }
        taken.clear(page);
        free[freeCount++] = page;
        segment(physical).asSlice(physical & HIGH - 1, PAGE_BYTES).fill((byte) 0xFF);
    }

    @Override
    public void failNext(int order, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void failNth(long nth) {
        untilFailure = nth;
    }

    @Override
    public long freePages() {
        return freeCount;
    }

    @Override
    public long totalPages() {
        return free.length;
    }

    /** {@return how many pages are taken} */
    int takenPages() {
        return free.length - freeCount;
    }

    @Override
    public long freeRuns(int order) {
        return order == 0 ? freeCount : 0;
    }

    @Override
    public List<MemoryRegion> regions() {
        return new ArrayList<>(regions);
    }

    @Override
    public @Nullable MemoryRegion find(long physical) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PageAllocator pages() {
        return this;
    }

    @Override
    public void read(long physical, MemorySegment target, long offset, long bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void write(long physical, MemorySegment source, long offset, long bytes) {
        throw new UnsupportedOperationException();
    }
}
