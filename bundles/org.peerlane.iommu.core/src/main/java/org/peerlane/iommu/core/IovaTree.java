package org.peerlane.iommu.core;

import java.util.Arrays;

/**
 * Free runs of page numbers: a treap by first page, each node knowing the longest run below it, so
 * that the highest run that fits is found in logarithmic time.
 *
 * <p><b>Threads.</b> One at a time. <b>Cost.</b> Arrays that grow; no boxing.
 */
final class IovaTree {
    private static final int NONE = 0;

    private long[] first = new long[16];
    private long[] last = new long[16];
    private long[] longest = new long[16];
    private int[] left = new int[16];
    private int[] right = new int[16];
    private int[] priority = new int[16];
    private int nodes = 1;
    private int freeNode = NONE; // chained by left
    private int root = NONE;
    private int seed = 0x9E37_79B9;

    /** Results of {@link #split}. */
    private int low;

    private int high;

    /** Adds a run; joins it with its neighbours. It overlaps none. */
    void add(long from, long to) {
        long start = from;
        long end = to;
        int below = floor(from);
        if (below != NONE) {
            if (last[below] >= from) {
                throw new IllegalStateException("pages from 0x%x on are free".formatted(from));
            }
            if (last[below] + 1 == from) {
                start = first[below];
                remove(start);
            }
        }
        int above = floor(to + 1);
        if (above != NONE && first[above] >= from) {
            if (first[above] <= to) {
                throw new IllegalStateException("pages to 0x%x are free".formatted(to));
            }
            end = last[above];
            remove(first[above]);
        }
        insert(start, end);
    }

    /** Takes pages out of the free ones; those that are not free stay so. */
    void reserve(long from, long to) {
        while (true) {
            int node = floor(to);
            if (node == NONE || last[node] < from) {
                return;
            }
            long start = first[node];
            long end = last[node];
            remove(start);
            if (end > to) {
                insert(to + 1, end);
            }
            if (start < from) {
                insert(start, from - 1);
            }
        }
    }

    /**
     * Takes the highest run of {@code pages} that ends at or below {@code limit} and starts at a
     * multiple of {@code align}, a power of two.
     *
     * @return its first page, or -1: there is none
     */
    long take(long pages, long align, long limit) {
        long start = search(root, pages, align, limit);
        if (start >= 0) {
            reserve(start, start + pages - 1);
        }
        return start;
    }

    private long search(int node, long pages, long align, long limit) {
        if (node == NONE || longest[node] < pages) {
            return -1;
        }
        if (first[node] <= limit) {
            long found = search(right[node], pages, align, limit);
            if (found >= 0) {
                return found;
            }
            long end = Math.min(last[node], limit);
            long start = end - pages + 1 & -align;
            if (start >= first[node] && end - first[node] + 1 >= pages) {
                return start;
            }
        }
        return search(left[node], pages, align, limit);
    }

    /** {@return how many pages are free} */
    long free() {
        return free(root);
    }

    private long free(int node) {
        return node == NONE
                ? 0
                : last[node] - first[node] + 1 + free(left[node]) + free(right[node]);
    }

    private int floor(long page) {
        int best = NONE;
        int node = root;
        while (node != NONE) {
            if (first[node] <= page) {
                best = node;
                node = right[node];
            } else {
                node = left[node];
            }
        }
        return best;
    }

    private void insert(long from, long to) {
        int node = freeNode;
        if (node != NONE) {
            freeNode = left[node];
        } else {
            if (nodes == first.length) {
                grow();
            }
            node = nodes++;
        }
        first[node] = from;
        last[node] = to;
        left[node] = NONE;
        right[node] = NONE;
        seed ^= seed << 13;
        seed ^= seed >>> 17;
        seed ^= seed << 5;
        priority[node] = seed;
        update(node);
        split(root, from);
        int above = high;
        root = merge(merge(low, node), above);
    }

    private void remove(long from) {
        split(root, from);
        int below = low;
        split(high, from + 1);
        int node = low;
        root = merge(below, high);
        left[node] = freeNode;
        freeNode = node;
    }

    /** Into those that start before {@code page} and the rest: {@link #low}, {@link #high}. */
    private void split(int node, long page) {
        if (node == NONE) {
            low = NONE;
            high = NONE;
        } else if (first[node] < page) {
            split(right[node], page);
            right[node] = low;
            update(node);
            low = node;
        } else {
            split(left[node], page);
            left[node] = high;
            update(node);
            high = node;
        }
    }

    private int merge(int a, int b) {
        if (a == NONE || b == NONE) {
            return a == NONE ? b : a;
        }
        if (priority[a] > priority[b]) {
            right[a] = merge(right[a], b);
            update(a);
            return a;
        }
        left[b] = merge(a, left[b]);
        update(b);
        return b;
    }

    private void update(int node) {
        longest[node] =
                Math.max(
                        last[node] - first[node] + 1,
                        Math.max(longest[left[node]], longest[right[node]]));
    }

    private void grow() {
        int size = nodes * 2;
        first = Arrays.copyOf(first, size);
        last = Arrays.copyOf(last, size);
        longest = Arrays.copyOf(longest, size);
        left = Arrays.copyOf(left, size);
        right = Arrays.copyOf(right, size);
        priority = Arrays.copyOf(priority, size);
    }
}
