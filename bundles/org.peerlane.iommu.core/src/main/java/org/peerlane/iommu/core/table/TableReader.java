package org.peerlane.iommu.core.table;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.iommu.api.TableWalk;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Reads a table for reports. It marks nothing and, as the hardware, trusts nothing that it reads: a
 * table page may be given back, and used for something else, while it looks.
 *
 * <p><b>Threads.</b> Any; an object serves one call.
 */
final class TableReader {
    /** What looks like more tables than that is no table any more. */
    private static final int MOST_TABLES = 1 << 16;

    private final Entries entries;
    private final TableMemory memory;
    private int tables;
    private long leaves;
    private long bytes;

    TableReader(Entries entries, TableMemory memory) {
        this.entries = entries;
        this.memory = memory;
    }

    /** {@return how much is mapped} */
    Usage usage(long top) {
        count(RadixTable.page(top), RadixTable.level(top));
        return new Usage(leaves, bytes);
    }

    private void count(long table, int level) {
        if (memory.region(table) < 0 || ++tables > MOST_TABLES) {
            return;
        }
        for (int i = 0; i < Entries.ENTRIES; i++) {
            long entry = memory.load(table + 8L * i);
            if (entries.isEmpty(entry)) {
                continue;
            }
            if (!entries.isLeaf(entry, level)) {
                count(entry & entries.address, level - 1);
            } else if (!entries.isReserved(entry, level)) {
                int lg2 = entries.leafLg2(entry, level);
                int equal = 1 << lg2 - Entries.itemLg2(level); // entries of one leaf
                if ((i & equal - 1) == 0) {
                    leaves++;
                    bytes += 1L << lg2;
                }
            }
        }
    }

    /** {@return what a walk would find} */
    Look look(long top, long iova) {
        List<TableWalk.Step> steps = new ArrayList<>();
        int level = RadixTable.level(top);
        if (!entries.fits(iova)) {
            return Look.fault(steps, Walker.BEYOND_WIDTH, Walker.BEYOND_WIDTH);
        }
        if (!entries.covers(level, iova)) {
            return Look.fault(steps, Walker.READ_DENIED, Walker.WRITE_DENIED);
        }
        long table = RadixTable.page(top);
        for (long granted = -1; ; level--) {
            if (memory.region(table) < 0) {
                return Look.fault(steps, Walker.TABLE_ACCESS, Walker.TABLE_ACCESS);
            }
            long entry = memory.load(RadixTable.slot(table, iova, level));
            int index = Entries.index(iova, level);
            steps.add(
                    new TableWalk.Step(
                            level,
                            new PhysicalAddress(table),
                            index,
                            entry,
                            EntryText.of(entries, entry, level)));
            granted &= entry;
            if (entries.isEmpty(entry)) {
                return Look.fault(steps, Walker.READ_DENIED, Walker.WRITE_DENIED);
            }
            if (entries.isReserved(entry, level, entries.isLeaf(entry, level))) {
                return Look.fault(steps, Walker.RESERVED, Walker.RESERVED);
            }
            if (entries.isLeaf(entry, level)) {
                return leaf(steps, entry, entries.leafLg2(entry, level), granted, iova);
            }
            table = entry & entries.address;
        }
    }

    private Look leaf(List<TableWalk.Step> steps, long entry, int lg2, long granted, long iova) {
        return new Look(
                steps,
                (granted & entries.read) == entries.read ? 0 : Walker.READ_DENIED,
                (granted & entries.write) == entries.write ? 0 : Walker.WRITE_DENIED,
                entries.target(entry, lg2) | iova & (1L << lg2) - 1,
                1L << lg2);
    }
}
