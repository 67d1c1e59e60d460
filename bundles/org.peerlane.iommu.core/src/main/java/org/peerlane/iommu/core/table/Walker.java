package org.peerlane.iommu.core.table;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;

/**
 * The hardware's page-table walk.
 *
 * <p>It trusts nothing that it reads: a table that a stray DMA has written to gives a fault, never
 * an exception.
 *
 * <p><b>Threads.</b> Any. <b>Ordering.</b> Plain loads: each takes its address from the one before,
 * which orders them, and the volatile read of the top keeps them fresh. Acquire loads would make
 * the JIT read the segment's bounds again at each level. <b>Cost.</b> A load per level, or one if
 * the upper levels are in a {@link TableCache}; no allocation, no lock.
 */
final class Walker {
    /** The IOVA is beyond the table's width. */
    static final int BEYOND_WIDTH = 4;

    /** Not present, or not writable. */
    static final int WRITE_DENIED = 5;

    /** Not present, or not readable. */
    static final int READ_DENIED = 6;

    /** A table page that is no memory. */
    static final int TABLE_ACCESS = 7;

    /** A reserved bit, or a leaf where none may be. */
    static final int RESERVED = 0xC;

    /** Not an answer: the walk must be done once more, from the top. */
    private static final long MOVED = -1;

    private static final int LEAF_SHIFT = Entries.GRANULE_LG2 - 3;

    private final Entries entries;
    private final TableMemory memory;
    private final Checkpoint beforeMark;

    /** Passed after each load, by walks that are explored. */
    private final @Nullable Checkpoint step;

    /** The region where nearly all table pages are. */
    private final MemorySegment low;

    private final long lowFirst;
    private final long lowBytes;

    Walker(Execution execution, Entries entries, TableMemory memory, boolean stepwise) {
        this.entries = entries;
        this.memory = memory;
        low = memory.segment(0);
        lowFirst = memory.first(0);
        lowBytes = memory.bytes(0);
        step = stepwise ? execution.checkpoint("iommu.walk.step") : null;
        beforeMark = execution.checkpoint("iommu.walk.before-mark");
    }

    /**
     * Walks.
     *
     * @param cache of the calling thread; null: none
     * @param tag names the domain in it
     * @return see {@link Walk}
     */
    long walk(long top, long iova, boolean write, @Nullable TableCache cache, int tag) {
        if (cache != null) {
            long upper = cache.find(tag, iova);
            if (upper != 0) {
                return fromCached(upper, top, iova, write);
            }
        }
        return fromTop(top, iova, write, cache, tag);
    }

    /** As {@link PageTable#smallLeaf}. */
    long smallLeaf(long iova, int need, TableCache cache, int tag) {
        long upper = cache.find(tag, iova);
        if (upper == 0 || step != null) {
            return 0;
        }
        Entries format = entries;
        long at =
                TableCache.table(upper)
                        - lowFirst
                        + (iova >>> LEAF_SHIFT & 8 * (Entries.ENTRIES - 1));
        long entry = (long) TableMemory.ENTRY.get(low, at);
        if ((entry & format.usualLeafMask) != format.usualLeaf) {
            return 0;
        }
        long granted = format.permissions(entry, entry) & upper;
        return (granted & need) == 0
                ? 0
                : Walk.leaf(entry & format.address, Entries.GRANULE_LG2, granted);
    }

    /** Goes on where the cache says, stale or not. */
    private long fromCached(long upper, long top, long iova, boolean write) {
        long table = TableCache.table(upper);
        long walked = fully(0, table, 0, entries.bits((int) upper), iova, write, null, 0);
        return walked == MOVED ? fromTop(top, iova, write, null, 0) : walked;
    }

    private long fromTop(long top, long iova, boolean write, @Nullable TableCache cache, int tag) {
        if (!entries.fits(iova)) {
            return Walk.fault(BEYOND_WIDTH);
        }
        int level = RadixTable.level(top);
        if (!entries.covers(level, iova)) {
            return denied(write);
        }
        long walked = step == null ? quickly(top, iova, write, cache, tag) : MOVED;
        while (walked == MOVED) {
            walked = fully(0, RadixTable.page(top), level, -1, iova, write, cache, tag);
        }
        return walked;
    }

    /** A walk that finds nothing unusual; one that does is for {@link #fully}. */
    private long quickly(long top, long iova, boolean write, @Nullable TableCache cache, int tag) {
        MemorySegment segment = low;
        long first = lowFirst;
        long bytes = lowBytes;
        long address = entries.address;
        long mask = entries.usualPointerMask;
        long less = entries.usualPointerStep;
        int level = RadixTable.level(top);
        long usual = entries.usualPointer + level * less;
        long granted = -1;
        long table = RadixTable.page(top);
        int shift = Entries.itemLg2(level);
        while (true) {
            long at = table - first;
            if (Long.compareUnsigned(at, bytes) >= 0) {
                return MOVED;
            }
            at += iova >>> shift - 3 & 8 * (Entries.ENTRIES - 1);
            long entry = (long) TableMemory.ENTRY.get(segment, at);
            if (shift == Entries.GRANULE_LG2) {
                long upper = granted;
                granted &= entry;
                if ((entry & entries.usualLeafMask) != entries.usualLeaf) {
                    return MOVED;
                }
                long permissions = entries.permissions(granted, entry);
                if ((permissions & (write ? PageTable.WRITE : PageTable.READ)) == 0) {
                    return MOVED;
                }
                if (cache != null) {
                    cache.put(tag, iova, table, entries.permissions(upper, -1));
                }
                return Walk.leaf(
                        entry & address, shift, permissions | entries.marks(granted, entry));
            }
            if ((entry & mask) != usual) {
                return MOVED;
            }
            granted &= entry;
            table = entry & address;
            shift -= Entries.INDEX_LG2;
            usual -= less;
        }
    }

    /**
     * From a table on.
     *
     * @param region where it is expected
     * @param grantedAbove the bits that all entries above have
     * @return see {@link Walk}, or {@link #MOVED}
     */
    private long fully(
            int region,
            long from,
            int fromLevel,
            long grantedAbove,
            long iova,
            boolean write,
            @Nullable TableCache cache,
            int tag) {
        long accessed = entries.accessed;
        MemorySegment segment = memory.segment(region);
        long first = memory.first(region);
        long granted = grantedAbove;
        long table = from;
        int level = fromLevel;
        while (true) {
            if (Long.compareUnsigned(table - first, memory.bytes(region)) >= 0) {
                int other = memory.region(table);
                return other < 0
                        ? Walk.fault(TABLE_ACCESS)
                        : fully(other, table, level, granted, iova, write, cache, tag);
            }
            if (level == 0 && cache != null && region == 0) {
                cache.put(tag, iova, table, entries.permissions(granted, -1));
            }
            long at = RadixTable.slot(table, iova, level) - first;
            long entry = (long) TableMemory.ENTRY.get(segment, at);
            if (step != null) {
                step.reached();
            }
            if (entries.isEmpty(entry)) {
                return denied(write);
            }
            granted &= entry;
            if (entries.isLeaf(entry, level)) {
                return leaf(segment, at, entry, level, granted, write);
            }
            if ((entry & entries.tableReserved) != 0) {
                return Walk.fault(RESERVED);
            }
            if ((entry & accessed) != accessed && !mark(segment, at, entry, accessed)) {
                return MOVED;
            }
            table = entry & entries.address;
            level--;
        }
    }

    private long leaf(
            MemorySegment segment, long at, long entry, int level, long granted, boolean write) {
        if (entries.isReserved(entry, level)) {
            return Walk.fault(RESERVED);
        }
        long marks = entries.accessed | (write ? entries.dirty : 0);
        int permissions = entries.permissions(granted, entry | marks);
        if ((permissions & (write ? PageTable.WRITE : PageTable.READ)) == 0) {
            return denied(write);
        }
        if ((entry & marks) != marks && !mark(segment, at, entry, marks)) {
            return MOVED;
        }
        int lg2 = entries.leafLg2(entry, level);
        return Walk.leaf(
                entries.target(entry, lg2),
                lg2,
                permissions | entries.marks(granted, entry | marks));
    }

    private static long denied(boolean write) {
        return Walk.fault(write ? WRITE_DENIED : READ_DENIED);
    }

    /** {@return whether the bits are set; false: the entry has changed since it was read} */
    private boolean mark(MemorySegment segment, long at, long entry, long bits) {
        beforeMark.reached();
        return TableMemory.ENTRY.compareAndSet(segment, at, entry, entry | bits);
    }
}
