package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.memory.api.PageAllocator;

/**
 * The page table of one process: four levels in RAM, as x86-64 has them.
 *
 * <p><b>Walk.</b> Without a lock, inside the {@link AccessGate} or with the mmap lock held: tables
 * are freed under the mmap lock (write) and after a flush. The walk sets accessed and dirty by
 * compare-and-set, so a zap never loses a dirty bit nor brings an entry back. Not modelled: the
 * accessed bit of upper levels.
 *
 * <p><b>Locks.</b> {@code memory.pagetable} for every other change of an entry.
 *
 * <p><b>Large entries</b> are of frames only, put there by fault handlers. A change of a part of
 * one takes all of it out, and the handler is asked again, as the kernel does with a huge entry of
 * a file.
 */
final class PageTable {
    /** User addresses are below 2^47: the lower half of 48 bits. */
    private static final int USER_LG2 = 47;

    /** From this many entries on they are made aside and copied in one go. */
    private static final int RUN = 8;

    /** How far the n-th page of a run is from the first. */
    private static final long[] STEPS = steps();

    private final NamedLock lock;

    /** Guarded by lock: entries on their way into a table. */
    private final long[] run = new long[Pte.ENTRIES];

    /** Guarded by lock: whether the last {@link #descend} has made the table that it found. */
    private boolean made;

    private final Spans ram;
    private final TablePages tables;

    /** 0: closed. */
    private volatile long root;

    PageTable(Execution execution, Spans ram, PageAllocator pages) {
        lock = execution.lock("memory.pagetable");
        this.ram = ram;
        tables = new TablePages(ram, pages);
        root = tables.allocate();
    }

    private static long[] steps() {
        long[] steps = new long[Pte.ENTRIES];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = i * Pte.PAGE;
        }
        return steps;
    }

    NamedLock lock() {
        return lock;
    }

    /** {@return the leaf for an address, or 0: none that allows this} */
    long walk(long address, boolean write) {
        long table = root;
        if (table == 0 || address >>> USER_LG2 != 0) {
            return 0;
        }
        for (int level = Pte.TOP; ; level--) {
            int region = ram.find(table);
            MemorySegment segment = ram.memory(region);
            long at = table - ram.first(region) + (long) Pte.index(address, level) * Long.BYTES;
            long entry = TablePages.get(segment, at);
            if ((entry & Pte.PRESENT) == 0) {
                return 0;
            }
            if (!Pte.isTable(entry, level)) {
                long wanted = write ? Pte.ACCESSED | Pte.DIRTY | Pte.WRITABLE : Pte.ACCESSED;
                if ((entry & wanted) != wanted) {
                    entry = touch(segment, at, write);
                }
                return entry == 0 ? 0 : Pte.leaf(entry, level, address);
            }
            table = entry & Pte.FRAME;
        }
    }

    /** Sets accessed and dirty. {@return the entry, or 0: it does not allow this any more} */
    private static long touch(MemorySegment segment, long at, boolean write) {
        while (true) {
            long entry = TablePages.get(segment, at);
            long needed = write ? Pte.PRESENT | Pte.WRITABLE : Pte.PRESENT;
            if ((entry & needed) != needed) {
                return 0;
            }
            long now = entry | Pte.ACCESSED | (write ? Pte.DIRTY : 0);
            if (TablePages.replace(segment, at, entry, now)) {
                return now;
            }
        }
    }

    /** {@return the entry itself, touched by nothing} */
    long entry(long address) {
        long table = address >>> USER_LG2 == 0 ? root : 0;
        for (int level = Pte.TOP; table != 0; level--) {
            long entry = tables.get(table, Pte.index(address, level));
            if (!Pte.isTable(entry, level)) {
                return entry;
            }
            table = entry & Pte.FRAME;
        }
        return 0;
    }

    /**
     * [held] Puts entries there.
     *
     * @param bits of each
     * @param refs holds each page once more; null for frames
     * @param large whether large entries may be used
     * @param keep whether pages that are there already stay: they may be the process's own
     */
    void insert(
            long first,
            long physical,
            long bytes,
            long bits,
            @Nullable PageRefs refs,
            boolean large,
            boolean keep) {
        assert lock.isHeldByCurrentThread();
        long end = first + bytes;
        long at = first;
        while (at < end) {
            long frame = physical + (at - first);
            if (large) {
                int level = largest(at | frame, end - at);
                if (level > 0 && insertLarge(at, frame, level, bits)) {
                    at += Pte.span(level);
                    continue;
                }
            }
            long inTable = Pte.span(1) - (at & Pte.span(1) - 1);
            long part = Math.min(end - at, inTable);
            fill(at, frame, (int) (part >>> Pte.PAGE_LG2), bits, refs, keep);
            at += part;
        }
    }

    private static int largest(long alignment, long bytes) {
        int level = 2;
        while (level > 0 && ((alignment & Pte.span(level) - 1) != 0 || bytes < Pte.span(level))) {
            level--;
        }
        return level;
    }

    /** [held] Puts one entry there. {@return false: there is one already} */
    boolean insertNew(long address, long entry) {
        assert lock.isHeldByCurrentThread();
        long table = descend(address, 0);
        MemorySegment segment = tables.segment(table);
        long at = tables.offset(table) + (long) Pte.index(address, 0) * Long.BYTES;
        boolean free = TablePages.get(segment, at) == 0;
        if (free) {
            TablePages.set(segment, at, entry);
        }
        return free;
    }

    /**
     * [held] Puts an entry in the place of a small one that allows loads only.
     *
     * @param frame that one's
     * @return whether it was there
     */
    boolean replace(long address, long frame, long now, Zapped out) {
        assert lock.isHeldByCurrentThread();
        long table = descend(address, 0); // it is there: tables go with the mmap lock (write)
        MemorySegment segment = tables.segment(table);
        long at = tables.offset(table) + (long) Pte.index(address, 0) * Long.BYTES;
        while (true) {
            long entry = TablePages.get(segment, at);
            if ((entry & (Pte.PRESENT | Pte.WRITABLE | Pte.FRAME)) != (frame | Pte.PRESENT)) {
                return false;
            }
            if (TablePages.replace(segment, at, entry, now)) {
                if ((entry & Pte.SPECIAL) != 0) {
                    out.addFrame();
                } else {
                    out.addPage(entry);
                }
                return true;
            }
        }
    }

    /** [free] Makes the small entry that is there writable. {@return whether there is one} */
    boolean allowWrite(long address) {
        lock.lock();
        try {
            long before = entry(address);
            if ((before & Pte.PRESENT) == 0) {
                return false;
            }
            long table = descend(address, 0);
            long at = tables.offset(table) + (long) Pte.index(address, 0) * Long.BYTES;
            put(tables.segment(table), at, before, before | Pte.WRITABLE, address);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** {@return false: there is a table already, and small entries have to do} */
    private boolean insertLarge(long at, long frame, int level, long bits) {
        long table = descend(at, level);
        MemorySegment segment = tables.segment(table);
        long where = tables.offset(table) + (long) Pte.index(at, level) * Long.BYTES;
        long entry = TablePages.get(segment, where);
        if (Pte.isTable(entry, level)) {
            return false;
        }
        put(segment, where, entry, frame | bits | Pte.LARGE, at);
        return true;
    }

    private void fill(
            long at, long frame, int count, long bits, @Nullable PageRefs refs, boolean keep) {
        long table = descend(at, 0);
        MemorySegment segment = tables.segment(table);
        long where = tables.offset(table) + (long) Pte.index(at, 0) * Long.BYTES;
        if (count >= RUN && (made || TablePages.isEmpty(segment, where, count))) {
            long base = frame | bits;
            for (int i = 0; i < count; i++) {
                run[i] = base + STEPS[i];
            }
            hold(frame, count, refs);
            TablePages.setAll(segment, where, run, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            long entry = TablePages.get(segment, where + (long) i * Long.BYTES);
            long now = frame + (long) i * Pte.PAGE | bits;
            if (entry == 0) {
                hold(now & Pte.FRAME, 1, refs);
                TablePages.set(segment, where + (long) i * Long.BYTES, now);
            } else if (!keep) {
                put(segment, where + (long) i * Long.BYTES, entry, now, at + i * Pte.PAGE);
            }
        }
    }

    private static void hold(long frame, int count, @Nullable PageRefs refs) {
        if (refs != null) {
            for (int i = 0; i < count; i++) {
                refs.get(frame + (long) i * Pte.PAGE);
            }
        }
    }

    /** Sets an entry, or makes one that is there writable. */
    private static void put(MemorySegment segment, long at, long before, long now, long address) {
        long entry = before;
        while (true) {
            if (entry != 0 && (entry & Pte.FRAME) != (now & Pte.FRAME)) {
                throw new IllegalStateException(
                        "0x%x: insertion of frame 0x%x over 0x%x"
                                .formatted(address, now & Pte.FRAME, entry & Pte.FRAME));
            }
            if (TablePages.replace(segment, at, entry, entry | now)) {
                return;
            }
            entry = TablePages.get(segment, at); // a walk has set a bit meanwhile
        }
    }

    /** {@return the table of a level on the way to an address; makes what is missing} */
    private long descend(long address, int to) {
        long table = root;
        made = false;
        for (int level = Pte.TOP; level > to; level--) {
            MemorySegment segment = tables.segment(table);
            long at = tables.offset(table) + (long) Pte.index(address, level) * Long.BYTES;
            long entry = TablePages.get(segment, at);
            if (entry == 0) {
                entry = tables.allocate() | Pte.PRESENT | Pte.WRITABLE | Pte.USER;
                made = true;
                TablePages.set(segment, at, entry);
            } else if (!Pte.isTable(entry, level)) {
                throw new IllegalStateException(
                        "0x%x: insertion into a large entry of frame 0x%x"
                                .formatted(address, entry & Pte.FRAME));
            }
            table = entry & Pte.FRAME;
        }
        return table;
    }

    /** [held] Takes entries out; a large one goes whole. */
    void clear(long first, long end, Zapped out) {
        assert lock.isHeldByCurrentThread();
        long table = root;
        if (table != 0) {
            change(table, Pte.TOP, first, end, out, null);
        }
    }

    /** [held] Changes what is allowed; a large entry that is only covered in part goes. */
    void protect(long first, long end, Protection protection, Zapped out) {
        assert lock.isHeldByCurrentThread();
        change(root, Pte.TOP, first, end, out, protection);
    }

    private void change(
            long table, int level, long first, long end, Zapped out, @Nullable Protection to) {
        MemorySegment segment = tables.segment(table);
        long start = tables.offset(table);
        long span = Pte.span(level);
        long next;
        for (long at = first; at < end; at = next) {
            next = Math.min(end, (at & -span) + span);
            long where = start + (long) Pte.index(at, level) * Long.BYTES;
            long entry = TablePages.get(segment, where);
            if (entry == 0) {
                continue;
            }
            if (Pte.isTable(entry, level)) {
                change(entry & Pte.FRAME, level - 1, at, next, out, to);
            } else if (to != null && next - at == span) {
                protectOne(segment, where, to);
            } else if ((entry & Pte.SPECIAL) != 0) {
                TablePages.set(segment, where, 0);
                out.addFrame();
            } else {
                out.addPage(TablePages.take(segment, where));
            }
        }
    }

    private static void protectOne(MemorySegment segment, long at, Protection to) {
        long entry;
        do {
            entry = TablePages.get(segment, at);
        } while (!TablePages.replace(segment, at, entry, to.apply(entry)));
    }

    /**
     * [held] Unlinks the tables that only serve {@code floor} to {@code end}, where nothing is
     * mapped any more.
     *
     * @return their pages, to be freed after a flush
     */
    long[] prune(long first, long last, long floor, long ceiling) {
        assert lock.isHeldByCurrentThread();
        LongList out = new LongList();
        prune(root, Pte.TOP, first, last, floor, ceiling, out);
        return out.toArray();
    }

    private void prune(
            long table, int level, long first, long end, long floor, long ceiling, LongList out) {
        MemorySegment segment = tables.segment(table);
        long start = tables.offset(table);
        long span = Pte.span(level);
        long next;
        for (long at = first; at < end; at = next) {
            next = Math.min(end, (at & -span) + span);
            long where = start + (long) Pte.index(at, level) * Long.BYTES;
            long entry = TablePages.get(segment, where);
            if (!Pte.isTable(entry, level)) {
                continue;
            }
            long covered = at & -span;
            if (level > 1) {
                prune(entry & Pte.FRAME, level - 1, at, next, floor, ceiling, out);
            }
            if (covered >= floor && covered + span <= ceiling) {
                TablePages.set(segment, where, 0);
                out.add(entry & Pte.FRAME);
            }
        }
    }

    /** [held] */
    void free(long[] pages) {
        assert lock.isHeldByCurrentThread();
        for (long page : pages) {
            tables.free(page);
        }
    }

    /** [held] No walk finds anything from now on. {@return the last table} */
    long end() {
        assert lock.isHeldByCurrentThread();
        long last = root;
        root = 0;
        return last;
    }

    /** {@return pages that tables take} */
    long count() {
        lock.lock();
        try {
            return tables.count();
        } finally {
            lock.unlock();
        }
    }

    /** Longs without boxing. */
    private static final class LongList {
        private long[] items = new long[8];
        private int count;

        void add(long item) {
            if (count == items.length) {
                items = Arrays.copyOf(items, 2 * count);
            }
            items[count++] = item;
        }

        long[] toArray() {
            return Arrays.copyOf(items, count);
        }
    }
}
