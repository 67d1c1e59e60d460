package org.peerlane.exporter.cmaheap;

import java.util.BitSet;
import java.util.Objects;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.RefCount;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * A run of physical memory that is set aside, and a bitmap of what is taken of it: the lowest place
 * that fits. Kernel counterpart: {@code struct cma}.
 *
 * <p><b>Life.</b> Until the last of its holders has let go: its maker, and whoever has memory of
 * it. Then all of it goes back to the page allocator.
 *
 * <p><b>Not modelled.</b> Others, who in a kernel may use what is free until it is wanted here.
 * <b>Threads.</b> Any. <b>Source.</b> HP-30.
 */
final class CmaArea {
    private static final long PAGE = PhysicalMemory.PAGE_BYTES;
    private static final int RUN = 1 << PageAllocator.MAX_ORDER;
    private static final int PAGES_PER_MIB = (int) ((1 << 20) / PAGE);

    private final PhysicalMemory memory;
    private final int pages;
    private final int alignmentOrder;
    private final long first;
    private final RefCount references;
    private final NamedLock lock;

    /** By page; guarded by lock. */
    private final BitSet taken = new BitSet();

    /**
     * Sets memory aside.
     *
     * @param mib rounded up to 4
     * @param alignmentOrder the most pages that a block is aligned to, as a power of two
     * @throws ErrnoException {@code EINVAL} a size or an order that cannot be; {@code ENOMEM} there
     *     is no such run
     */
    CmaArea(Execution execution, PhysicalMemory memory, int mib, int alignmentOrder) {
        if (mib <= 0 || mib > Integer.MAX_VALUE / PAGES_PER_MIB - RUN) {
            throw new ErrnoException(
                    Errno.EINVAL, "a CMA area of %d MiB; expected at least 4".formatted(mib));
        }
        if (alignmentOrder < 0 || alignmentOrder > PageAllocator.MAX_ORDER) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "an alignment of order %d; expected 0 to %d"
                            .formatted(alignmentOrder, PageAllocator.MAX_ORDER));
        }
        this.memory = memory;
        this.alignmentOrder = alignmentOrder;
        pages = mib * PAGES_PER_MIB + RUN - 1 & -RUN;
        lock = execution.lock("cma.area");
        references = new RefCount("CMA area", this::giveBack);
        first = memory.pages().allocateRange(pages);
    }

    private void giveBack() {
        for (int page = 0; page < pages; page += RUN) {
            memory.pages().free(first + page * PAGE, PageAllocator.MAX_ORDER);
        }
    }

    /** One holder less: its maker needs it no more. */
    void put() {
        references.put();
    }

    /**
     * Takes a block, and zeroes it. It holds the area until {@link #free}.
     *
     * @param bytes whole pages
     * @return its physical address
     * @throws ErrnoException {@code ENOMEM} no place is long enough; {@code ENODEV} the area goes
     */
    long allocate(long bytes) {
        if (!references.getUnlessZero()) {
            throw new ErrnoException(Errno.ENODEV, "the CMA area has gone");
        }
        int page = -1;
        try {
            page = take(bytes / PAGE);
        } finally {
            if (page < 0) {
                references.put();
            }
        }
        long physical = first + page * PAGE;
        MemoryRegion region = Objects.requireNonNull(memory.find(physical), "RAM");
        region.segment().asSlice(physical - region.range().first().value(), bytes).fill((byte) 0);
        return physical;
    }

    private int take(long wanted) {
        lock.lock();
        try {
            int page = find(wanted);
            if (page < 0) {
                throw new ErrnoException(
                        Errno.ENOMEM,
                        "no %d contiguous pages are free; %d of the area's %d are in all"
                                .formatted(wanted, pages - taken.cardinality(), pages));
            }
            taken.set(page, page + (int) wanted);
            return page;
        } finally {
            lock.unlock();
        }
    }

    /** {@return the lowest place for so many pages, aligned to their order; or -1} */
    private int find(long wanted) {
        assert lock.isHeldByCurrentThread();
        int order = Long.SIZE - Long.numberOfLeadingZeros(wanted - 1);
        int alignment = 1 << Math.min(order, alignmentOrder);
        int from = 0;
        while (true) {
            int page = taken.nextClearBit(from) + alignment - 1 & -alignment;
            if (page > pages - wanted) {
                return -1;
            }
            int next = taken.nextSetBit(page);
            if (next < 0 || next >= page + wanted) {
                return page;
            }
            from = next + 1;
        }
    }

    /** Gives a block back. */
    void free(long physical, long bytes) {
        int page = (int) ((physical - first) / PAGE);
        lock.lock();
        try {
            taken.clear(page, page + (int) (bytes / PAGE));
        } finally {
            lock.unlock();
        }
        references.put();
    }
}
