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
 * the JIT read the segment's bounds again at each level. <b>Cost.</b> A load per level; no
 * allocation, no lock.
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

    private static final int MOVED = -1;

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

    /** {@return 0, or the reason of the fault} */
    int walk(long top, long iova, boolean write, Walk into) {
        if (!entries.fits(iova)) {
            return BEYOND_WIDTH;
        }
        int level = RadixTable.level(top);
        if (!entries.covers(level, iova)) {
            return write ? WRITE_DENIED : READ_DENIED;
        }
        int reason;
        do {
            reason =
                    step == null
                            ? quickly(top, iova, write, into)
                            : fully(0, RadixTable.page(top), level, -1, iova, write, into);
        } while (reason == MOVED);
        return reason;
    }

    /** A walk that finds nothing unusual; one that does goes on {@link #fully}. */
    private int quickly(long top, long iova, boolean write, Walk into) {
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
                break;
            }
            at += iova >>> shift - 3 & 8 * (Entries.ENTRIES - 1);
            long entry = (long) TableMemory.ENTRY.get(segment, at);
            if (shift == Entries.GRANULE_LG2) {
                if ((entry & entries.usualLeafMask) != entries.usualLeaf
                        || write && (entry & entries.dirty) == 0) {
                    break;
                }
                return grant(entry, shift, granted & entry, iova, write, into);
            }
            if ((entry & mask) != usual) {
                break;
            }
            granted &= entry;
            table = entry & address;
            shift -= Entries.INDEX_LG2;
            usual -= less;
        }
        return fully(0, table, Entries.levelOf(shift), granted, iova, write, into);
    }

    /**
     * From a table on.
     *
     * @param region where it is expected
     * @param grantedAbove the bits that all entries above have
     */
    private int fully(
            int region,
            long from,
            int fromLevel,
            long grantedAbove,
            long iova,
            boolean write,
            Walk into) {
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
                        ? TABLE_ACCESS
                        : fully(other, table, level, granted, iova, write, into);
            }
            long at = RadixTable.slot(table, iova, level) - first;
            long entry = (long) TableMemory.ENTRY.get(segment, at);
            if (step != null) {
                step.reached();
            }
            if (entries.isEmpty(entry)) {
                return write ? WRITE_DENIED : READ_DENIED;
            }
            granted &= entry;
            if (entries.isLeaf(entry, level)) {
                return leaf(segment, at, entry, level, granted, iova, write, into);
            }
            if ((entry & entries.tableReserved) != 0) {
                return RESERVED;
            }
            if ((entry & accessed) != accessed && !mark(segment, at, entry, accessed)) {
                return MOVED;
            }
            table = entry & entries.address;
            level--;
        }
    }

    private int leaf(
            MemorySegment segment,
            long at,
            long entry,
            int level,
            long granted,
            long iova,
            boolean write,
            Walk into) {
        if (entries.isReserved(entry, level)) {
            return RESERVED;
        }
        long marks = entries.accessed | (write ? entries.dirty : 0);
        int reason =
                grant(entry | marks, entries.leafLg2(entry, level), granted, iova, write, into);
        if (reason == 0 && (entry & marks) != marks && !mark(segment, at, entry, marks)) {
            return MOVED;
        }
        return reason;
    }

    private int grant(long entry, int lg2, long granted, long iova, boolean write, Walk into) {
        boolean readable = (granted & entries.read) == entries.read;
        boolean writable = (granted & entries.write) == entries.write;
        if (write ? !writable : !readable) {
            return write ? WRITE_DENIED : READ_DENIED;
        }
        long inside = (1L << lg2) - 1;
        into.physical = entries.address & entry & ~inside | iova & inside;
        into.leafIova = iova & ~inside;
        into.leafBytes = inside + 1;
        into.permissions = (readable ? PageTable.READ : 0) | (writable ? PageTable.WRITE : 0);
        into.dirty = (entry & entries.dirty) != 0;
        return 0;
    }

    /** {@return whether the bits are set; false: the entry has changed since it was read} */
    private boolean mark(MemorySegment segment, long at, long entry, long bits) {
        beforeMark.reached();
        return TableMemory.ENTRY.compareAndSet(segment, at, entry, entry | bits);
    }
}
