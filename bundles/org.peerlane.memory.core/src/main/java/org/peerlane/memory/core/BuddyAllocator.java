package org.peerlane.memory.core;

import java.util.Arrays;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The buddy allocator. Memory is cut into runs of 2^order pages, aligned to their size; two runs
 * that make up one of the next order are buddies. Taking a run splits larger ones; giving one back
 * joins it with its buddy as long as that is free too.
 *
 * <p>A page is known by its index: RAM without the hole. The state of each run sits at its first
 * page; free runs of an order are a list through {@code next} and {@code previous}, last in first
 * out, so that memory that is warm is used first.
 *
 * <p>The first MiB of address space belongs to firmware and is never handed out.
 *
 * <p><b>Locks.</b> One guards everything. <b>Cost.</b> At most {@link #MAX_ORDER} steps a call, no
 * allocation.
 */
final class BuddyAllocator implements PageAllocator {
    private static final int RESERVED_PAGES = 256;
    private static final int NONE = -1;

    /** States of a page: inside a run, or the first of one that is free (order) or taken. */
    private static final byte INSIDE = -1;

    private static final byte RESERVED = -2;
    private static final byte TAKEN = 32;

    /** How many bytes are handed out before the file system is asked again for its room. */
    private static final long ROOM_STEP = 64L << 20;

    private static final long ROOM_RESERVE = 16L << 20;

    private final NamedLock lock;
    private final Ram ram;
    private final int total;
    private final long holePage;
    private final byte[] state;
    private final int[] next;
    private final int[] previous;
    private final int[] heads = new int[MAX_ORDER + 1];
    private final long[] runs = new long[MAX_ORDER + 1];
    private long free;
    private long failIn;

    /** Bytes that may be handed out before the file system's room is looked at again. */
    private long room;

    BuddyAllocator(NamedLock lock, Ram ram) {
        this.lock = lock;
        this.ram = ram;
        long bytes = 0;
        for (MemoryRegion region : ram.regions()) {
            bytes += region.segment().byteSize();
        }
        total = Math.toIntExact(bytes / PhysicalMemory.PAGE_BYTES);
        holePage = Ram.HOLE_FIRST / PhysicalMemory.PAGE_BYTES;
        state = new byte[total];
        next = new int[total];
        previous = new int[total];
        Arrays.fill(state, INSIDE);
        Arrays.fill(heads, NONE);
        Arrays.fill(state, 0, RESERVED_PAGES, RESERVED);
        fill();
    }

    /** Cuts what is not reserved into the largest runs; the lowest end up first in their lists. */
    private void fill() {
        int end = total;
        while (end > RESERVED_PAGES) {
            int order = MAX_ORDER;
            while (end % (1 << order) != 0 || end - (1 << order) < RESERVED_PAGES) {
                order--;
            }
            end -= 1 << order;
            push(end, order);
            free += 1L << order;
        }
    }

    @Override
    public long allocate(int order) {
        checkOrder(order);
        lock.lock();
        try {
            if (failIn > 0 && --failIn == 0) {
                throw new ErrnoException(
                        Errno.ENOMEM, "allocation of order %d: failure injected".formatted(order));
            }
            int from = order;
            while (from <= MAX_ORDER && heads[from] == NONE) {
                from++;
            }
            if (from > MAX_ORDER) {
                throw new ErrnoException(
                        Errno.ENOMEM,
                        "no free run of order %d; %d of %d pages are free"
                                .formatted(order, free, total));
            }
            checkRoom(PhysicalMemory.PAGE_BYTES << order);
            int page = heads[from];
            remove(page, from);
            while (from > order) {
                from--;
                push(page + (1 << from), from);
            }
            state[page] = (byte) (TAKEN + order);
            free -= 1L << order;
            return physical(page);
        } finally {
            lock.unlock();
        }
    }

    /** A page that the file system cannot back would kill the process when it is touched. */
    private void checkRoom(long bytes) {
        if (room < bytes) {
            long usable = ram.usableSpace();
            if (usable < bytes + ROOM_RESERVE) {
                throw new ErrnoException(
                        Errno.ENOMEM,
                        "%d bytes asked, but the file system behind the RAM has %d left"
                                .formatted(bytes, usable));
            }
            room = Math.min(usable - ROOM_RESERVE, Math.max(ROOM_STEP, bytes));
        }
        room -= bytes;
    }

    @Override
    public void free(long physical, int order) {
        checkOrder(order);
        lock.lock();
        try {
            int page = page(physical);
            if (page == NONE || state[page] != TAKEN + order) {
                throw new IllegalStateException(
                        "free of order %d at 0x%x, which %s"
                                .formatted(order, physical, describe(page)));
            }
            free += 1L << order;
            state[page] = INSIDE;
            int at = order;
            while (at < MAX_ORDER) {
                int buddy = page ^ (1 << at);
                if (buddy + (1 << at) > total || state[buddy] != at) {
                    break;
                }
                remove(buddy, at);
                state[buddy] = INSIDE;
                page = Math.min(page, buddy);
                at++;
            }
            push(page, at);
        } finally {
            lock.unlock();
        }
    }

    private String describe(int page) {
        if (page == NONE) {
            return "is no page of the RAM";
        }
        int s = state[page];
        if (s == RESERVED) {
            return "is reserved";
        }
        if (s == INSIDE) {
            return "is not the start of a run";
        }
        return s >= TAKEN ? "was taken with order " + (s - TAKEN) : "is free already";
    }

    private void push(int page, int order) {
        int head = heads[order];
        state[page] = (byte) order;
        next[page] = head;
        previous[page] = NONE;
        if (head != NONE) {
            previous[head] = page;
        }
        heads[order] = page;
        runs[order]++;
    }

    private void remove(int page, int order) {
        int before = previous[page];
        int after = next[page];
        if (before == NONE) {
            heads[order] = after;
        } else {
            next[before] = after;
        }
        if (after != NONE) {
            previous[after] = before;
        }
        runs[order]--;
    }

    private long physical(int page) {
        long at =
                page < holePage ? page : page - holePage + Ram.HOLE_END / PhysicalMemory.PAGE_BYTES;
        return at * PhysicalMemory.PAGE_BYTES;
    }

    private int page(long physical) {
        if (physical % PhysicalMemory.PAGE_BYTES != 0 || physical < 0) {
            return NONE;
        }
        long page = physical / PhysicalMemory.PAGE_BYTES;
        if (page >= holePage) {
            page -= Ram.HOLE_END / PhysicalMemory.PAGE_BYTES - holePage;
            if (page < holePage) {
                return NONE;
            }
        }
        return page < total ? (int) page : NONE;
    }

    private static void checkOrder(int order) {
        if (order < 0 || order > MAX_ORDER) {
            throw new ErrnoException(
                    Errno.EINVAL, "order %d; expected 0 to %d".formatted(order, MAX_ORDER));
        }
    }

    @Override
    public long freeRuns(int order) {
        checkOrder(order);
        lock.lock();
        try {
            return runs[order];
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long freePages() {
        lock.lock();
        try {
            return free;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long totalPages() {
        return total;
    }

    @Override
    public void failNth(long nth) {
        lock.lock();
        try {
            failIn = nth;
        } finally {
            lock.unlock();
        }
    }
}
