package org.peerlane.iommu.core.table;

import java.lang.foreign.MemorySegment;

/**
 * Unmaps ranges (PT-40 to PT-44), one table page of leaves at a time.
 *
 * <p><b>Cost.</b> One way down per table page; a load and a store per entry.
 */
final class Unmapper {
    private final RadixTable table;
    private final Entries entries;
    private final TableMemory memory;

    Unmapper(RadixTable table) {
        this.table = table;
        entries = table.entries;
        memory = table.memory;
    }

    long unmap(long iova, long bytes, Gather gather) {
        long last = iova + (bytes - 1);
        if (bytes == 0 || Long.compareUnsigned(last, iova) < 0 || !entries.fits(iova, last)) {
            return 0;
        }
        long at = iova;
        while (true) {
            long page = tableOfLeaf(at);
            if (page < 0) {
                break;
            }
            int level = RadixTable.level(page);
            table.beforeClear.reached();
            long next = clear(RadixTable.page(page), level, at, last);
            if (next == at) {
                break;
            }
            at = next;
            if (Entries.index(at, level) == 0) {
                unlink(at, level, iova, last, gather);
            }
            if (Long.compareUnsigned(at - 1, last) >= 0) {
                break;
            }
        }
        long removed = at - iova;
        if (removed != 0) {
            gather.add(iova, removed);
        }
        return removed;
    }

    /** {@return the page whose entry for an IOVA is a leaf, its level in the low bits; or -1} */
    private long tableOfLeaf(long iova) {
        long top = table.top();
        int level = RadixTable.level(top);
        if (!entries.covers(level, iova)) {
            return -1;
        }
        long page = RadixTable.page(top);
        while (true) {
            long entry = memory.load(RadixTable.slot(page, iova, level));
            if (entries.isEmpty(entry)) {
                return -1;
            }
            if (entries.isLeaf(entry, level)) {
                return page | level;
            }
            page = entry & entries.address;
            level--;
        }
    }

    /** {@return the IOVA behind the last leaf removed; where it began if none was} */
    private long clear(long page, int level, long from, long last) {
        int itemLg2 = Entries.itemLg2(level);
        if ((from & (1L << itemLg2) - 1) != 0) {
            return from;
        }
        int region = memory.checkedRegion(page);
        MemorySegment segment = memory.segment(region);
        long start = page - memory.first(region);
        int begin = Entries.index(from, level);
        long more = Math.min(last - from >>> itemLg2, Entries.ENTRIES) + 1;
        int end = (int) Math.min(begin + more, Entries.ENTRIES);
        int index = begin;
        while (index < end) {
            index = clearPlain(segment, start, index, end, level);
            if (index == end) {
                break;
            }
            long entry = (long) TableMemory.ENTRY.get(segment, start + 8L * index);
            if (entries.isEmpty(entry) || !entries.isSized(entry)) {
                break;
            }
            // All of it, even if the range ends inside (PT-42), but not from its middle (PT-41).
            int count = 1 << entries.leafLg2(entry, level) - itemLg2;
            if ((index & count - 1) != 0) {
                break;
            }
            for (int i = index; i < index + count; i++) {
                TableMemory.ENTRY.set(segment, start + 8L * i, 0L);
            }
            index += count;
        }
        return from + ((long) (index - begin) << itemLg2);
    }

    /** {@return the first entry that is no leaf of the level's own size; those before are gone} */
    private int clearPlain(MemorySegment segment, long start, int from, int end, int level) {
        long present = entries.present;
        long sized = entries.sized;
        for (int i = from; i < end; i++) {
            long entry = (long) TableMemory.ENTRY.get(segment, start + 8L * i);
            if ((entry & present) == 0
                    || level != 0 && !entries.isLeaf(entry, level)
                    || (entry & sized) == Entries.AMD_SIZED) {
                return i;
            }
            TableMemory.ENTRY.set(segment, start + 8L * i, 0L);
        }
        return end;
    }

    /** Takes out the tables that end before {@code end} and lie inside the range (PT-43). */
    private void unlink(long end, int leafLevel, long iova, long last, Gather gather) {
        int topLevel = RadixTable.level(table.top());
        for (int level = leafLevel + 1; level <= topLevel; level++) {
            long span = 1L << Entries.itemLg2(level);
            long start = end - span;
            if ((end & span - 1) != 0
                    || Long.compareUnsigned(start, iova) < 0
                    || Long.compareUnsigned(end - 1, last) > 0) {
                return;
            }
            long slot = slot(start, level);
            long entry = memory.load(slot);
            table.beforeUnlink.reached();
            memory.store(slot, 0);
            gather.addPage(entry & entries.address);
        }
    }

    private long slot(long iova, int wanted) {
        long top = table.top();
        long page = RadixTable.page(top);
        for (int level = RadixTable.level(top); level > wanted; level--) {
            page = memory.load(RadixTable.slot(page, iova, level)) & entries.address;
        }
        return RadixTable.slot(page, iova, wanted);
    }
}
