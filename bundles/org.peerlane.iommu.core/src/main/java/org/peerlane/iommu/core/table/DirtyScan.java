package org.peerlane.iommu.core.table;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Reads and clears the dirty bits of a range; what is not mapped is passed over.
 *
 * <p><b>Ordering.</b> A bit is cleared by an atomic AND, so that an entry which is unmapped at the
 * same time stays unmapped.
 */
final class DirtyScan {
    private final RadixTable table;
    private final Entries entries;
    private final TableMemory memory;

    DirtyScan(RadixTable table) {
        this.table = table;
        entries = table.entries;
        memory = table.memory;
    }

    void scan(long iova, long bytes, boolean clear, PageTable.DirtyReport report, Gather gather) {
        if (entries.format.kind() == Format.Kind.X86_FIRST_STAGE) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "dirty bits of an x86-64 table: every writable leaf is dirty");
        }
        long last = iova + (bytes - 1);
        if (bytes == 0 || Long.compareUnsigned(last, iova) < 0 || !entries.fits(iova, last)) {
            throw new ErrnoException(
                    Errno.ERANGE,
                    "dirty bits of 0x%x bytes at iova 0x%x; expected a range of at most %d bits"
                            .formatted(bytes, iova, entries.format.width()));
        }
        long start = 0;
        long run = 0;
        long at = iova;
        do {
            long top = table.top();
            int level = RadixTable.level(top);
            if (!entries.covers(level, at)) {
                break;
            }
            long page = RadixTable.page(top);
            long entry = memory.load(RadixTable.slot(page, at, level));
            while (!entries.isEmpty(entry) && !entries.isLeaf(entry, level)) {
                page = entry & entries.address;
                level--;
                entry = memory.load(RadixTable.slot(page, at, level));
            }
            // The rest of this table page, until a pointer to a lower one or the end.
            do {
                boolean leaf = !entries.isEmpty(entry);
                long size = 1L << (leaf ? entries.leafLg2(entry, level) : Entries.itemLg2(level));
                at &= -size;
                if (leaf && testAndClear(page, at, size, level, clear)) {
                    if (start + run != at && run != 0) {
                        report.dirty(start, run);
                        run = 0;
                    }
                    start = run == 0 ? at : start;
                    run += size;
                    if (clear) {
                        gather.add(at, size);
                    }
                }
                at += size;
                if (Entries.index(at, level) == 0) {
                    break;
                }
                entry = memory.load(RadixTable.slot(page, at, level));
            } while (Long.compareUnsigned(at - 1, last) < 0
                    && (entries.isEmpty(entry) || entries.isLeaf(entry, level)));
        } while (Long.compareUnsigned(at - 1, last) < 0);
        if (run != 0) {
            report.dirty(start, run);
        }
    }

    /** {@return whether any entry of a leaf was dirty; all of them are clean then, if asked} */
    private boolean testAndClear(long page, long iova, long size, int level, boolean clear) {
        boolean dirty = false;
        int step = (int) (size >>> Entries.itemLg2(level));
        long slot = RadixTable.slot(page, iova, level);
        for (int i = 0; i < step; i++) {
            if ((memory.load(slot + 8L * i) & entries.dirty) != 0) {
                dirty = true;
                if (clear) {
                    memory.clearBits(slot + 8L * i, entries.dirty);
                }
            }
        }
        return dirty;
    }
}
