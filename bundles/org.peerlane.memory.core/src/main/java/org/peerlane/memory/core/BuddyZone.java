package org.peerlane.memory.core;

import static org.peerlane.memory.api.PageAllocator.MAX_ORDER;

/**
 * The buddy algorithm over one run of pages, numbered from 0. A free run of order {@code n} starts
 * at a multiple of 2^n; two that are each other's buddy are always one of the next order instead.
 *
 * <p><b>Policy.</b> The smallest order that has a run, and of that order the lowest address. So a
 * given series of calls always gets the same pages, a fresh zone fills from below, and a page never
 * taken before is touched last.
 *
 * <p><b>Cost.</b> At most one {@link BitTree} step per order; two bits per page and order. No
 * allocation. <b>Threads.</b> The owner locks. <b>Source.</b> Linux {@code mm/page_alloc.c}: {@code
 * __rmqueue_smallest}, {@code expand}, {@code __free_one_page}.
 */
final class BuddyZone {
    /** By order: the free runs, by page number >> order. */
    private final BitTree[] free = new BitTree[MAX_ORDER + 1];

    /** By order: the taken runs, by page number >> order. */
    private final BitTree[] taken = new BitTree[MAX_ORDER + 1];

    private final long pages;
    private long freePages;

    /**
     * Makes a zone.
     *
     * @param pages how many it has
     * @param reserved how many of them, from the first on, are never handed out
     */
    BuddyZone(long pages, long reserved) {
        this.pages = pages;
        for (int order = 0; order <= MAX_ORDER; order++) {
            long runs = (pages >>> order) + 1;
            free[order] = new BitTree(runs);
            taken[order] = new BitTree(runs);
        }
        long at = Math.min(reserved, pages);
        while (at < pages) {
            int order = Math.min(MAX_ORDER, Long.numberOfTrailingZeros(at));
            while (at + (1L << order) > pages) {
                order--;
            }
            free[order].add(at >>> order);
            at += 1L << order;
        }
        freePages = pages - Math.min(reserved, pages);
    }

    /** {@return the first page that {@link #take} would answer now, or -1} */
    long peek(int order) {
        for (int from = order; from <= MAX_ORDER; from++) {
            long run = free[from].lowest();
            if (run >= 0) {
                return run << from;
            }
        }
        return -1;
    }

    /** {@return the first page of a run, now taken; -1 if there is none} */
    long take(int order) {
        int from = order;
        while (from <= MAX_ORDER && free[from].count() == 0) {
            from++;
        }
        if (from > MAX_ORDER) {
            return -1;
        }
        long page = free[from].lowest() << from;
        free[from].remove(page >>> from);
        while (from > order) {
            from--;
            free[from].add((page >>> from) + 1); // the upper half stays free
        }
        taken[order].add(page >>> order);
        freePages -= 1L << order;
        return page;
    }

    /** {@return the first page of the lowest run of so many of the largest order, or -1} */
    long peekRange(long runs) {
        long found = 0;
        for (long run = 0; run <= pages >>> MAX_ORDER; run++) {
            found = isFree(run, MAX_ORDER) ? found + 1 : 0;
            if (found == runs) {
                return run - runs + 1 << MAX_ORDER;
            }
        }
        return -1;
    }

    /** Takes what {@link #peekRange} has found. */
    void takeRange(long page, long runs) {
        long first = page >>> MAX_ORDER;
        for (long run = first; run < first + runs; run++) {
            free[MAX_ORDER].remove(run);
            taken[MAX_ORDER].add(run);
        }
        freePages -= runs << MAX_ORDER;
    }

    /**
     * Gives a run back.
     *
     * @return whether it was taken with this order; if not, nothing has changed
     */
    boolean give(long page, int order) {
        if (!isTaken(page, order)) {
            return false;
        }
        taken[order].remove(page >>> order);
        freePages += 1L << order;
        long run = page >>> order;
        int at = order;
        while (at < MAX_ORDER && isFree(run ^ 1, at)) {
            free[at].remove(run ^ 1);
            run >>>= 1;
            at++;
        }
        free[at].add(run);
        return true;
    }

    private boolean isFree(long run, int order) {
        return run << order < pages && free[order].contains(run);
    }

    private boolean isTaken(long page, int order) {
        return page >= 0
                && page < pages
                && (page & (1L << order) - 1) == 0
                && taken[order].contains(page >>> order);
    }

    /** {@return the order with which the run at this page is taken, or -1} */
    int takenOrder(long page) {
        for (int order = 0; order <= MAX_ORDER; order++) {
            if (isTaken(page, order)) {
                return order;
            }
        }
        return -1;
    }

    long freeRuns(int order) {
        return free[order].count();
    }

    long freePages() {
        return freePages;
    }
}
