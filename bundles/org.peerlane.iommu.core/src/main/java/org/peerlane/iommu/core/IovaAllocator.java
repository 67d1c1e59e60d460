package org.peerlane.iommu.core;

import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Hands out IOVA of one domain: aligned to its size rounded up to a power of two, from the top of
 * what the device can address down, and below 4 GiB as long as there is room. Runs of up to 32
 * pages come from caches, last in first out. Kernel counterpart: drivers/iommu/iova.c.
 *
 * <p><b>Locks.</b> One per cached size, one for the tree; a cache's before the tree's.
 * <b>Threads.</b> Any. Page 0 is never given out.
 */
final class IovaAllocator {
    static final int PAGE_LG2 = 12;
    private static final int CACHED_ORDERS = 6;
    private static final int CACHE_ENTRIES = 127;
    private static final long BELOW_4G = (1L << 32 - PAGE_LG2) - 1;

    private final long lastPage;
    private final NamedLock treeLock;
    private final IovaTree tree = new IovaTree(); // guarded by treeLock
    private final Cache[] caches = new Cache[CACHED_ORDERS];

    /**
     * @param last the last IOVA of the domain
     */
    IovaAllocator(Execution execution, long last) {
        lastPage = last >>> PAGE_LG2;
        treeLock = execution.lock("iommu.iova-tree");
        tree.add(1, lastPage);
        for (int i = 0; i < CACHED_ORDERS; i++) {
            caches[i] = new Cache(execution.lock("iommu.iova-cache"));
        }
    }

    /** Never gives these out. */
    void reserve(long first, long last) {
        treeLock.lock();
        try {
            tree.reserve(Math.max(1, first >>> PAGE_LG2), Math.min(lastPage, last >>> PAGE_LG2));
        } finally {
            treeLock.unlock();
        }
    }

    /**
     * Takes a run.
     *
     * @param bytes a multiple of the page size
     * @param mask the highest address the device can send
     * @return its first IOVA, or 0: there is none
     */
    long allocate(long bytes, long mask) {
        long pages = bytes >>> PAGE_LG2;
        int order = order(pages);
        long limit = Math.min(lastPage, (mask >>> PAGE_LG2) - ((mask & 0xFFF) == 0xFFF ? 0 : 1));
        long page = -1;
        if (limit > BELOW_4G) {
            page = allocate(pages, order, BELOW_4G);
        }
        if (page < 0) {
            page = allocate(pages, order, limit);
        }
        if (page < 0) {
            emptyCaches();
            page = take(rounded(pages, order), order, limit);
        }
        return page < 0 ? 0 : page << PAGE_LG2;
    }

    private long allocate(long pages, int order, long limit) {
        if (order < CACHED_ORDERS) {
            long cached = caches[order].pop(limit - (1L << order) + 1);
            if (cached >= 0) {
                return cached;
            }
        }
        return take(rounded(pages, order), order, limit);
    }

    private long take(long pages, int order, long limit) {
        treeLock.lock();
        try {
            return tree.take(pages, 1L << order, limit);
        } finally {
            treeLock.unlock();
        }
    }

    /** Gives a run back, with the bytes that were asked for. */
    void free(long iova, long bytes) {
        long pages = bytes >>> PAGE_LG2;
        int order = order(pages);
        long page = iova >>> PAGE_LG2;
        if (order >= CACHED_ORDERS || !caches[order].push(page)) {
            give(page, rounded(pages, order));
        }
    }

    private void give(long page, long pages) {
        treeLock.lock();
        try {
            tree.add(page, page + pages - 1);
        } finally {
            treeLock.unlock();
        }
    }

    private void emptyCaches() {
        for (int order = 0; order < CACHED_ORDERS; order++) {
            for (long page = caches[order].pop(lastPage);
                    page >= 0;
                    page = caches[order].pop(lastPage)) {
                give(page, 1L << order);
            }
        }
    }

    /** {@return how many pages are free, those in caches included} */
    long freePages() {
        emptyCaches();
        treeLock.lock();
        try {
            return tree.free();
        } finally {
            treeLock.unlock();
        }
    }

    private static int order(long pages) {
        return 64 - Long.numberOfLeadingZeros(pages - 1);
    }

    private static long rounded(long pages, int order) {
        return order < CACHED_ORDERS ? 1L << order : pages;
    }

    /** Freed runs of one size. */
    private static final class Cache {
        private final NamedLock lock;
        private final long[] pages = new long[CACHE_ENTRIES]; // guarded by lock
        private int size; // guarded by lock

        Cache(NamedLock lock) {
            this.lock = lock;
        }

        /** {@return the last one pushed that starts at or below {@code limit}, or -1} */
        long pop(long limit) {
            lock.lock();
            try {
                for (int i = size - 1; i >= 0; i--) {
                    long page = pages[i];
                    if (page <= limit) {
                        pages[i] = pages[--size];
                        return page;
                    }
                }
                return -1;
            } finally {
                lock.unlock();
            }
        }

        boolean push(long page) {
            lock.lock();
            try {
                if (size == pages.length) {
                    return false;
                }
                pages[size++] = page;
                return true;
            } finally {
                lock.unlock();
            }
        }
    }
}
