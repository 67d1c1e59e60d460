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

    Walker(Execution execution, Entries entries, TableMemory memory, boolean stepwise) {
        this.entries = entries;
        this.memory = memory;
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
            reason = walk(0, RadixTable.page(top), Entries.itemLg2(level), -1, iova, write, into);
        } while (reason == MOVED);
        return reason;
    }

    /** From a table on. One region stays in registers; another is another call. */
    private int walk(
            int region,
            long from,
            int fromShift,
            long grantedSoFar,
            long iova,
            boolean write,
            Walk into) {
        long present = entries.present;
        long address = entries.address;
        long accessed = entries.accessed;
        long reserved = entries.tableReserved;
        int leafTypes = entries.leafTypes;
        int typeShift = entries.typeShift;
        MemorySegment segment = memory.segment(region);
        long first = memory.first(region);
        long bytes = memory.bytes(region);
        Checkpoint pause = step;
        long granted = grantedSoFar;
        long table = from;
        int shift = fromShift;
        while (true) {
            long at = table - first;
            if (Long.compareUnsigned(at, bytes) >= 0) {
                int other = memory.region(table);
                return other < 0
                        ? TABLE_ACCESS
                        : walk(other, table, shift, granted, iova, write, into);
            }
            at += iova >>> shift - 3 & 8 * (Entries.ENTRIES - 1);
            long entry = (long) TableMemory.ENTRY.get(segment, at);
            if (pause != null) {
                pause.reached();
            }
            if ((entry & present) == 0) {
                return write ? WRITE_DENIED : READ_DENIED;
            }
            granted &= entry;
            if (shift == Entries.GRANULE_LG2
                    || (leafTypes >>> (int) (entry >>> typeShift & 7) & 1) != 0) {
                return leaf(segment, at, entry, shift, granted, iova, write, into);
            }
            if ((entry & reserved) != 0) {
                return RESERVED;
            }
            if ((entry & accessed) != accessed && !mark(segment, at, entry, accessed)) {
                return MOVED;
            }
            table = entry & address;
            shift -= Entries.INDEX_LG2;
        }
    }

    private int leaf(
            MemorySegment segment,
            long at,
            long entry,
            int shift,
            long granted,
            long iova,
            boolean write,
            Walk into) {
        int level = Entries.levelOf(shift);
        if (entries.isReserved(entry, level)) {
            return RESERVED;
        }
        boolean readable = (granted & entries.read) == entries.read;
        boolean writable = (granted & entries.write) == entries.write;
        if (write ? !writable : !readable) {
            return write ? WRITE_DENIED : READ_DENIED;
        }
        long marks = entries.accessed | (write ? entries.dirty : 0);
        if ((entry & marks) != marks && !mark(segment, at, entry, marks)) {
            return MOVED;
        }
        int lg2 = entries.leafLg2(entry, level);
        long inside = (1L << lg2) - 1;
        into.physical = entries.target(entry, lg2) | iova & inside;
        into.leafIova = iova & ~inside;
        into.leafBytes = inside + 1;
        into.permissions = (readable ? PageTable.READ : 0) | (writable ? PageTable.WRITE : 0);
        into.dirty = ((entry | marks) & entries.dirty) != 0;
        return 0;
    }

    /** {@return whether the bits are set; false: the entry has changed since it was read} */
    private boolean mark(MemorySegment segment, long at, long entry, long bits) {
        beforeMark.reached();
        return TableMemory.ENTRY.compareAndSet(segment, at, entry, entry | bits);
    }
}
