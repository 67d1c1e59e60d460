package org.peerlane.iommu.core.table;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Paging-structure cache: where the table of 4 KiB leaves for 2 MiB of IOVA is, and what the levels
 * above grant, so that a walk is one load. It is stale as the IOTLB is: until it is invalidated, a
 * table that has been unlinked is walked.
 *
 * <pre>
 *  key    | iova 63:21 | domain 20:0 |
 *  value  | table 51:12 | domain 21 in bit 2 | W | R |    no W, no R: empty
 * </pre>
 *
 * <p><b>Threads.</b> One keeps and looks up: the owner. Whoever invalidates writes zero over
 * values, on any thread.
 */
public final class TableCache {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int ENTRIES = 64;
    private static final int SPAN_LG2 = Entries.GRANULE_LG2 + Entries.INDEX_LG2;
    private static final long SPAN = 1L << SPAN_LG2;
    private static final long TABLE = 0x000F_FFFF_FFFF_F000L;
    private static final int HIGH_TAG = 4;
    private static final int PERMISSIONS = PageTable.READ | PageTable.WRITE;

    private static final int VERSION = 2 * ENTRIES;

    private final long[] cells = new long[2 * ENTRIES + 1];

    /** Makes an empty one. */
    public TableCache() {}

    /** {@return a number that rises by two with everything that is kept} */
    public long version() {
        return (long) CELL.getAcquire(cells, VERSION);
    }

    /** {@return the table's value, or 0} */
    long find(int tag, long iova) {
        long key = key(tag, iova);
        int at = slot(key);
        long value = (long) CELL.getOpaque(cells, at + 1);
        return cells[at] == key && (value & HIGH_TAG) == high(tag) ? value : 0;
    }

    /** {@return the table of a value} */
    static long table(long value) {
        return value & TABLE;
    }

    /** Keeps where a table is; one above which nothing is granted is not kept. */
    void put(int tag, long iova, long table, int granted) {
        if ((granted & PERMISSIONS) == 0) {
            return;
        }
        long key = key(tag, iova);
        int at = slot(key);
        CELL.setOpaque(cells, at + 1, 0L);
        CELL.setRelease(cells, at, key);
        CELL.setRelease(cells, at + 1, table | high(tag) | granted & PERMISSIONS);
        CELL.setRelease(cells, VERSION, cells[VERSION] + 2);
    }

    /** Forgets the tables of a domain that have an entry from {@code first} to {@code last}. */
    public void invalidate(int tag, long first, long last) {
        long spans = (last >>> SPAN_LG2) - (first >>> SPAN_LG2);
        if (Long.compareUnsigned(spans, ENTRIES) < 0) {
            for (long i = 0; i <= spans; i++) {
                long key = key(tag, first + (i << SPAN_LG2));
                int at = slot(key);
                if ((long) CELL.getAcquire(cells, at) == key) {
                    CELL.setOpaque(cells, at + 1, 0L);
                }
            }
            return;
        }
        for (int at = 0; at < 2 * ENTRIES; at += 2) {
            long key = (long) CELL.getAcquire(cells, at);
            long start = key & -SPAN;
            if ((key & SPAN - 1) == (tag & SPAN - 1)
                    && Long.compareUnsigned(start, last) <= 0
                    && Long.compareUnsigned(start + SPAN - 1, first) >= 0) {
                CELL.setOpaque(cells, at + 1, 0L);
            }
        }
    }

    /** Forgets everything. */
    public void clear() {
        for (int at = 0; at < 2 * ENTRIES; at += 2) {
            CELL.setOpaque(cells, at + 1, 0L);
        }
    }

    private static long key(int tag, long iova) {
        return iova & -SPAN | tag & SPAN - 1;
    }

    private static long high(int tag) {
        return (long) (tag >>> SPAN_LG2) << 2;
    }

    private static int slot(long key) {
        return 2 * ((int) (key >>> SPAN_LG2 ^ key) & ENTRIES - 1);
    }
}
