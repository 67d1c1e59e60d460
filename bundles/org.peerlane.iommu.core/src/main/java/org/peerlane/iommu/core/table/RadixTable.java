package org.peerlane.iommu.core.table;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * A page table of any {@link Format}. Kernel counterpart: {@code drivers/iommu/generic_pt}.
 *
 * <p><b>Threads.</b> As {@link PageTable} says. The top table's address and level are one volatile
 * word; it and each pointer to a table change by compare-and-swap, and who loses gives its page
 * back.
 *
 * <p><b>Checkpoints.</b> {@code iommu.table.before-install}, {@code .before-grow}: between the read
 * and the swap; {@code .before-leaves}, {@code .before-clear}, {@code .before-unlink}: before the
 * stores of a map or unmap, once per table page; {@code iommu.walk.before-mark}: between the load
 * of an entry and the swap that marks it accessed or dirty.
 */
public final class RadixTable implements PageTable {
    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(RadixTable.class, "top", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final long PAGE_MASK = -PhysicalMemory.PAGE_BYTES;

    final Entries entries;
    final TableMemory memory;
    final Flush flush;
    final Checkpoint beforeLeaves;
    final Checkpoint beforeClear;
    final Checkpoint beforeUnlink;

    private final Format format;
    private final Checkpoint beforeInstall;
    private final Checkpoint beforeGrow;
    private final Walker walker;
    private final Mapper mapper;
    private final Unmapper unmapper;
    private final DirtyScan dirtyScan;

    /** The top table's physical address, and its level in the low bits. */
    private volatile long top;

    /**
     * Makes an empty table.
     *
     * @param format its entries and its depth
     * @param memory where its pages are
     * @param flush asked by {@link #map} when it has unlinked an empty table (PT-35)
     * @throws ErrnoException {@code ENOMEM} there is no page for the top table
     */
    public RadixTable(Execution execution, PhysicalMemory memory, Format format, Flush flush) {
        this(execution, memory, format, flush, false);
    }

    /**
     * As above.
     *
     * @param stepwise whether walks pass {@code iommu.walk.step} at each level, for exploration
     */
    public RadixTable(
            Execution execution,
            PhysicalMemory memory,
            Format format,
            Flush flush,
            boolean stepwise) {
        this.format = format;
        this.flush = flush;
        this.memory = new TableMemory(memory);
        entries = new Entries(format);
        beforeInstall = execution.checkpoint("iommu.table.before-install");
        beforeGrow = execution.checkpoint("iommu.table.before-grow");
        beforeLeaves = execution.checkpoint("iommu.table.before-leaves");
        beforeClear = execution.checkpoint("iommu.table.before-clear");
        beforeUnlink = execution.checkpoint("iommu.table.before-unlink");
        walker = new Walker(execution, entries, this.memory, stepwise);
        mapper = new Mapper(this);
        unmapper = new Unmapper(this);
        dirtyScan = new DirtyScan(this);
        top = this.memory.take() | format.startTopLevel();
    }

    @Override
    public long pageSizes() {
        return format.pageSizes();
    }

    @Override
    public long lastIova() {
        return -1L >>> -format.width();
    }

    @Override
    public long root() {
        return page(top);
    }

    @Override
    public int topLevel() {
        return level(top);
    }

    @Override
    public int depthField() {
        return format.depthField(topLevel());
    }

    @Override
    public void map(long iova, long physical, long bytes, int protection) {
        mapper.map(iova, physical, bytes, protection);
    }

    @Override
    public long unmap(long iova, long bytes, Gather gather) {
        return unmapper.unmap(iova, bytes, gather);
    }

    @Override
    public long walk(long iova, boolean write) {
        return walker.walk(top, iova, write, null, 0);
    }

    @Override
    public long walk(long iova, boolean write, TableCache cache, int tag) {
        return walker.walk(top, iova, write, cache, tag);
    }

    @Override
    public long smallLeaf(long iova, int need, TableCache cache, int tag) {
        return walker.smallLeaf(iova, need, cache, tag);
    }

    @Override
    public void dirty(long iova, long bytes, boolean clear, DirtyReport report, Gather gather) {
        dirtyScan.scan(iova, bytes, clear, report, gather);
    }

    @Override
    public long physicalOf(long iova) {
        long now = top;
        int level = level(now);
        if (!entries.fits(iova) || !entries.covers(level, iova)) {
            return -1;
        }
        long table = page(now);
        while (true) {
            long entry = memory.load(slot(table, iova, level));
            if (entries.isEmpty(entry)) {
                return -1;
            }
            if (entries.isLeaf(entry, level)) {
                int lg2 = entries.leafLg2(entry, level);
                return entries.target(entry, lg2) | iova & (1L << lg2) - 1;
            }
            table = entry & entries.address;
            level--;
        }
    }

    @Override
    public Look look(long iova) {
        return new TableReader(entries, memory).look(top, iova);
    }

    @Override
    public Usage usage() {
        return new TableReader(entries, memory).usage(top);
    }

    @Override
    public void release(Gather gather) {
        for (int i = 0; i < gather.pages(); i++) {
            memory.give(gather.page(i));
        }
        gather.clear();
    }

    @Override
    public void free() {
        // No page of RAM, so that whoever comes late is told so.
        long before = (long) TOP.getAndSet(this, PAGE_MASK | format.maxTopLevel());
        if (page(before) == PAGE_MASK) {
            throw new IllegalStateException("the page table was freed before");
        }
        freeBelow(page(before), level(before));
    }

    private void freeBelow(long table, int level) {
        for (int i = 0; level > 0 && i < Entries.ENTRIES; i++) {
            long entry = memory.load(table + 8L * i);
            if (!entries.isEmpty(entry) && !entries.isLeaf(entry, level)) {
                freeBelow(entry & entries.address, level - 1);
            }
        }
        memory.give(table);
    }

    // What map, unmap and the dirty scan share.

    /** {@return top table and level, in one read} */
    long top() {
        return top;
    }

    static long page(long topWord) {
        return topWord & PAGE_MASK;
    }

    static int level(long topWord) {
        return (int) (topWord & ~PAGE_MASK);
    }

    /** {@return the physical address of the entry that stands for an IOVA} */
    static long slot(long table, long iova, int level) {
        return table + 8L * Entries.index(iova, level);
    }

    /**
     * Goes down to the table of a level, and installs what is missing on the way.
     *
     * @return its page
     * @throws ErrnoException {@code EADDRINUSE} a larger leaf is in the way; {@code ENOMEM}
     */
    long descend(long iova, int level) {
        long now = top;
        while (level(now) < level || !entries.covers(level(now), iova)) {
            now = grow(now);
        }
        long table = page(now);
        int at = level(now);
        while (at > level) {
            long slot = slot(table, iova, at);
            long entry = memory.load(slot);
            while (entries.isEmpty(entry)) {
                entry = install(slot, entry, at);
            }
            if (entries.isLeaf(entry, at)) {
                throw inUse(iova, entry, at);
            }
            table = entry & entries.address;
            at--;
        }
        return table;
    }

    /** {@return what is in the slot now: the new page's entry or that of who came first} */
    private long install(long slot, long empty, int level) {
        long page = memory.take();
        long seen = ~empty;
        try {
            long entry = entries.pointer(page, level);
            beforeInstall.reached();
            seen = memory.exchange(slot, empty, entry);
            return seen == empty ? entry : seen;
        } finally {
            if (seen != empty) {
                memory.give(page);
            }
        }
    }

    /** {@return the top now: one level more, by us or by who came first (PT-7)} */
    private long grow(long before) {
        int level = level(before) + 1;
        if (level > format.maxTopLevel()) {
            throw new AssertionError("a table of level " + level + " for a checked IOVA");
        }
        long page = memory.take();
        boolean done = false;
        try {
            memory.store(page, entries.pointer(page(before), level));
            beforeGrow.reached();
            done = TOP.compareAndSet(this, before, page | level);
            return top;
        } finally {
            if (!done) {
                memory.give(page);
            }
        }
    }

    ErrnoException inUse(long iova, long entry, int level) {
        int lg2 = entries.leafLg2(entry, level);
        return new ErrnoException(
                Errno.EADDRINUSE,
                "iova 0x%x is mapped already, by a page of 0x%x bytes to 0x%x"
                        .formatted(iova, 1L << lg2, entries.target(entry, lg2)));
    }
}
