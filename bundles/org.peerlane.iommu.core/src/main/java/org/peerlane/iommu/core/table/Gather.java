package org.peerlane.iommu.core.table;

import java.util.Arrays;

/**
 * What must be flushed before it may be used again: one interval of IOVA, and table pages that are
 * not linked any more (PT-51). Kernel counterpart: {@code struct iommu_iotlb_gather}.
 *
 * <p><b>Threads.</b> One at a time. <b>Cost.</b> No allocation until the first table page.
 */
public final class Gather {
    private long first = -1;
    private long last;
    private long[] pages = {};
    private int count;

    /** Adds bytes that were taken out; the interval reaches over gaps (PT-52). */
    public void add(long iova, long bytes) {
        long end = iova + (bytes - 1);
        if (isEmpty()) {
            first = iova;
            last = end;
        } else {
            first = Long.compareUnsigned(iova, first) < 0 ? iova : first;
            last = Long.compareUnsigned(end, last) > 0 ? end : last;
        }
    }

    /** Adds a table page that waits to be freed. */
    public void addPage(long physical) {
        if (count == pages.length) {
            pages = Arrays.copyOf(pages, Math.max(8, count * 2));
        }
        pages[count++] = physical;
    }

    /** {@return whether no interval is there} */
    public boolean isEmpty() {
        return Long.compareUnsigned(first, last) > 0;
    }

    /** {@return the first IOVA to flush} */
    public long first() {
        return first;
    }

    /** {@return the last IOVA to flush} */
    public long last() {
        return last;
    }

    /** {@return how many table pages wait} */
    public int pages() {
        return count;
    }

    /** {@return the physical address of a table page that waits} */
    public long page(int index) {
        return pages[index];
    }

    /** After the flush and the freeing: empty again. */
    public void clear() {
        first = -1;
        last = 0;
        count = 0;
    }
}
