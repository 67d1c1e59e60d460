package org.peerlane.memory.core;

import java.util.List;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The page allocator: a {@link BuddyZone} per region, the lower region first.
 *
 * <p>The first MiB of the machine is reserved, as on a PC: it is neither handed out nor counted in
 * {@link #totalPages}.
 *
 * <p><b>Locks.</b> One, {@code memory.buddy}; an allocator lock in the platform's order. No file
 * system call but the rare {@link Room} check is made under it.
 */
final class BuddyAllocator implements PageAllocator {
    private static final int PAGE_LG2 = 12;
    private static final long RESERVED_BYTES = 1L << 20;

    private final NamedLock lock;
    private final Room room;
    private final long total;

    /** By region: where it starts. */
    private final long[] base;

    /** By region; guarded by lock, as is all below. */
    private final BuddyZone[] zones;

    /** By region: no page from here on was ever handed out. */
    private final long[] highWater;

    private long untilFailure;

    /** By order: how many of the next allocations fail. */
    private final long[] failures = new long[MAX_ORDER + 1];

    private boolean closed;

    BuddyAllocator(Execution execution, List<MemoryRegion> regions, Room room) {
        lock = execution.lock("memory.buddy");
        this.room = room;
        base = new long[regions.size()];
        zones = new BuddyZone[regions.size()];
        highWater = new long[regions.size()];
        long sum = 0;
        for (int i = 0; i < zones.length; i++) {
            MemoryRegion region = regions.get(i);
            base[i] = region.range().first().value();
            long reserved = Math.max(0, RESERVED_BYTES - base[i]) >>> PAGE_LG2;
            zones[i] = new BuddyZone(region.range().bytes() >>> PAGE_LG2, reserved);
            sum += zones[i].freePages();
        }
        total = sum;
    }

    @Override
    public long allocate(int order) {
        checkOrder(order);
        lock.lock();
        try {
            checkOpen();
            if (isFailureDue(order)) {
                throw new ErrnoException(
                        Errno.ENOMEM, "allocation of order %d: injected".formatted(order));
            }
            for (int i = 0; i < zones.length; i++) {
                long page = zones[i].peek(order);
                if (page >= 0) {
                    cover(i, page + (1L << order));
                    return base[i] + (zones[i].take(order) << PAGE_LG2);
                }
            }
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "no free run of order %d, %d pages; %d single pages are free"
                            .formatted(order, 1L << order, countFree()));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long allocateRange(long pages) {
        long runs = pages >>> MAX_ORDER;
        if (runs <= 0 || runs << MAX_ORDER != pages) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a range of %d pages; expected a multiple of %d"
                            .formatted(pages, 1 << MAX_ORDER));
        }
        lock.lock();
        try {
            checkOpen();
            for (int i = 0; i < zones.length; i++) {
                long page = zones[i].peekRange(runs);
                if (page >= 0) {
                    cover(i, page + pages);
                    zones[i].takeRange(page, runs);
                    return base[i] + (page << PAGE_LG2);
                }
            }
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "no %d adjacent free runs of order %d; %d pages are free"
                            .formatted(runs, MAX_ORDER, countFree()));
        } finally {
            lock.unlock();
        }
    }

    private boolean isFailureDue(int order) {
        assert lock.isHeldByCurrentThread();
        boolean nth = untilFailure > 0 && --untilFailure == 0;
        boolean ofOrder = failures[order] > 0;
        if (ofOrder) {
            failures[order]--;
        }
        return nth || ofOrder;
    }

    /** Sees to it that the file system has room for what is below {@code end}. */
    private void cover(int region, long end) {
        long more = end - highWater[region];
        if (more <= 0) {
            return;
        }
        if (!room.claim(more << PAGE_LG2)) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "%s has no room for %d more pages behind emulated RAM"
                            .formatted(room.place(), more));
        }
        highWater[region] = end;
    }

    @Override
    public void free(long physical, int order) {
        checkOrder(order);
        lock.lock();
        try {
            checkOpen();
            int i = zone(physical);
            long page = i < 0 ? -1 : physical - base[i] >>> PAGE_LG2;
            boolean aligned = (physical & PhysicalMemory.PAGE_BYTES - 1) == 0;
            if (i >= 0 && aligned && zones[i].give(page, order)) {
                return;
            }
            int real = i < 0 || !aligned ? -1 : zones[i].takenOrder(page);
            throw new IllegalStateException(
                    "free of 0x%x with order %d: %s"
                            .formatted(
                                    physical,
                                    order,
                                    real < 0 ? "it is not taken" : "it is taken with " + real));
        } finally {
            lock.unlock();
        }
    }

    private int zone(long physical) {
        int found = -1;
        for (int i = 0; i < base.length; i++) {
            if (Long.compareUnsigned(base[i], physical) <= 0) {
                found = i;
            }
        }
        return found;
    }

    @Override
    public long freeRuns(int order) {
        checkOrder(order);
        lock.lock();
        try {
            long sum = 0;
            for (BuddyZone zone : zones) {
                sum += zone.freeRuns(order);
            }
            return sum;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long freePages() {
        lock.lock();
        try {
            return countFree();
        } finally {
            lock.unlock();
        }
    }

    private long countFree() {
        assert lock.isHeldByCurrentThread();
        long sum = 0;
        for (BuddyZone zone : zones) {
            sum += zone.freePages();
        }
        return sum;
    }

    @Override
    public long totalPages() {
        return total;
    }

    @Override
    public void failNth(long nth) {
        if (nth < 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "failNth(%d); expected 0 or more".formatted(nth));
        }
        lock.lock();
        try {
            untilFailure = nth;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void failNext(int order, long count) {
        checkOrder(order);
        if (count < 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "failNext(%d, %d); expected a count of 0 or more".formatted(order, count));
        }
        lock.lock();
        try {
            failures[order] = count;
        } finally {
            lock.unlock();
        }
    }

    /** From now on nothing is handed out or taken back. */
    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the memory has been closed");
        }
    }

    private static void checkOrder(int order) {
        if (order < 0 || order > MAX_ORDER) {
            throw new ErrnoException(
                    Errno.EINVAL, "order %d; expected 0 to %d".formatted(order, MAX_ORDER));
        }
    }
}
