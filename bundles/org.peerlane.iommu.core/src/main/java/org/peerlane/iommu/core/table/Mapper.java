package org.peerlane.iommu.core.table;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Maps ranges (PT-30 to PT-38), one table page of leaves at a time.
 *
 * <p><b>Cost.</b> One way down per table page and page size; a load and a store per entry.
 */
final class Mapper {
    private final RadixTable table;
    private final Entries entries;
    private final TableMemory memory;
    private final long pageSizes;

    Mapper(RadixTable table) {
        this.table = table;
        entries = table.entries;
        memory = table.memory;
        pageSizes = entries.format.pageSizes();
    }

    void map(long iova, long physical, long bytes, int protection) {
        long bits = check(iova, physical, bytes, protection);
        long done = 0;
        try {
            do {
                done += mapSome(iova + done, physical + done, bytes - done, bits);
            } while (done != bytes);
        } catch (ErrnoException e) {
            if (done == 0) {
                throw e;
            }
            throw new MapFailed(
                    e.errno(),
                    "%s; 0x%x of 0x%x bytes from 0x%x on are mapped"
                            .formatted(e.sentence(), done, bytes, iova),
                    done);
        }
    }

    private long check(long iova, long physical, long bytes, int protection) {
        long bits = entries.protectionBits(protection);
        if (bytes == 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "map of 0 bytes at iova 0x%x; expected some".formatted(iova));
        }
        long last = iova + (bytes - 1);
        if (Long.compareUnsigned(last, iova) < 0) {
            throw new ErrnoException(
                    Errno.EOVERFLOW,
                    "map of 0x%x bytes at iova 0x%x; expected an end below 2^64"
                            .formatted(bytes, iova));
        }
        long output = entries.outputBytes();
        if (Long.compareUnsigned(physical, output) >= 0
                || Long.compareUnsigned(bytes, output - physical) > 0) {
            throw new ErrnoException(
                    Errno.ERANGE,
                    "map to 0x%x, 0x%x bytes; expected an end of at most 0x%x"
                            .formatted(physical, bytes, output));
        }
        if (!entries.fits(iova, last)) {
            throw new ErrnoException(
                    Errno.ERANGE,
                    "map of iova 0x%x to 0x%x; expected at most %d bits"
                            .formatted(iova, last, entries.format.width()));
        }
        return bits;
    }

    /** {@return bytes mapped: leaves of one size in one table page, at least one} */
    private long mapSome(long iova, long physical, long bytes, long bits) {
        int lg2 = pageLg2(iova, physical, bytes);
        long wanted = leaves(lg2, iova, physical, bytes);
        int level = Entries.levelOf(lg2);
        int stepLg2 = lg2 - Entries.itemLg2(level);
        int index = Entries.index(iova, level);
        int count = (int) Math.min(wanted, Entries.ENTRIES - index >>> stepLg2);
        long page = table.descend(iova, level);
        long leaf = physical | entries.sizeBits(lg2) | bits;

        table.beforeLeaves.reached();
        int written = write(page, index, leaf, count, stepLg2, 1L << lg2);
        if (written == 0) {
            replace(iova, page, index, level, 1 << stepLg2, leaf);
            written = 1;
        }
        return (long) written << lg2;
    }

    /** {@return the logarithm of the largest page that may start here (PT-31)} */
    private int pageLg2(long iova, long physical, long bytes) {
        int aligned = Long.numberOfTrailingZeros(iova | physical);
        int fits = 63 - Long.numberOfLeadingZeros(bytes);
        long usable = pageSizes & (2L << Math.min(aligned, fits)) - 1;
        if (usable == 0) {
            throw new ErrnoException(
                    Errno.ENXIO,
                    "iova 0x%x to 0x%x, 0x%x bytes: no page size fits; expected all aligned to 0x%x"
                            .formatted(iova, physical, bytes, Long.lowestOneBit(pageSizes)));
        }
        return 63 - Long.numberOfLeadingZeros(usable);
    }

    /** {@return how many pages of this size, until a larger one can start (PT-32)} */
    private long leaves(int lg2, long iova, long physical, long bytes) {
        long next = Long.lowestOneBit(pageSizes & -2L << lg2);
        if (next != 0 && ((iova ^ physical) & next - 1) == 0) {
            long until = next - (iova & next - 1);
            if (Long.compareUnsigned(until, bytes) < 0
                    && Long.compareUnsigned(next, bytes - until) <= 0) {
                return until >>> lg2;
            }
        }
        return bytes >>> lg2;
    }

    /** {@return how many leaves were written before a slot was not empty} */
    private int write(long page, int index, long first, int count, int stepLg2, long size) {
        int region = memory.checkedRegion(page);
        MemorySegment segment = memory.segment(region);
        long start = page - memory.first(region) + 8L * index;
        int empty = empty(segment, start, count << stepLg2);
        VarHandle.releaseFence();
        int written = empty >>> stepLg2;
        if (stepLg2 == 0) {
            for (int i = 0; i < written; i++) {
                TableMemory.ENTRY.set(segment, start + 8L * i, first + i * size);
            }
        } else {
            for (int i = 0; i < written << stepLg2; i++) {
                TableMemory.ENTRY.set(segment, start + 8L * i, first + (i >>> stepLg2) * size);
            }
        }
        VarHandle.releaseFence();
        return written;
    }

    /** {@return how many entries there are before one that is not empty} */
    private int empty(MemorySegment segment, long start, int count) {
        long present = entries.present;
        for (int i = 0; i < count; i++) {
            if (((long) TableMemory.ENTRY.get(segment, start + 8L * i) & present) != 0) {
                return i;
            }
        }
        return count;
    }

    /** Puts one leaf over what is in its slots: empty tables, or else it is in use (PT-35). */
    private void replace(long iova, long page, int index, int level, int step, long leaf) {
        long slot = page + 8L * index;
        for (int i = 0; i < step; i++) {
            checkVacant(iova, memory.load(slot + 8L * i), level);
        }
        Gather gather = new Gather();
        for (int i = 0; i < step; i++) {
            long entry = memory.load(slot + 8L * i);
            memory.store(slot + 8L * i, leaf);
            if (!entries.isEmpty(entry)) {
                collect(entry, level, gather);
            }
        }
        gather.add(iova, (long) step << Entries.itemLg2(level));
        table.flush.flush(gather);
        table.release(gather);
    }

    private void checkVacant(long iova, long entry, int level) {
        if (entries.isEmpty(entry)) {
            return;
        }
        if (entries.isLeaf(entry, level)) {
            throw table.inUse(iova, entry, level);
        }
        for (int i = 0; i < Entries.ENTRIES; i++) {
            checkVacant(iova, memory.load((entry & entries.address) + 8L * i), level - 1);
        }
    }

    private void collect(long entry, int level, Gather gather) {
        long lower = entry & entries.address;
        for (int i = 0; level > 1 && i < Entries.ENTRIES; i++) {
            long below = memory.load(lower + 8L * i);
            if (!entries.isEmpty(below)) {
                collect(below, level - 1, gather);
            }
        }
        gather.addPage(lower);
    }
}
