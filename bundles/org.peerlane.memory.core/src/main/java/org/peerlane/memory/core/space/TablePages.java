package org.peerlane.memory.core.space;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.peerlane.memory.api.PageAllocator;

/**
 * The pages that hold page tables: RAM like any other, reached by physical address.
 *
 * <p><b>Threads.</b> Entries are atomic; a table that is linked by a release is seen in full by
 * whoever walks. The count is the owner's to guard.
 */
final class TablePages {
    private static final ValueLayout.OfLong ENTRY_LAYOUT =
            ValueLayout.JAVA_LONG.withOrder(LITTLE_ENDIAN);
    private static final VarHandle ENTRY = ENTRY_LAYOUT.varHandle();
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) Pte.PAGE]);

    private final Spans ram;
    private final PageAllocator pages;
    private long count;

    TablePages(Spans ram, PageAllocator pages) {
        this.ram = ram;
        this.pages = pages;
    }

    /** {@return a table without entries} */
    long allocate() {
        long table = pages.allocate(0);
        MemorySegment.copy(ZEROS, 0, segment(table), offset(table), Pte.PAGE);
        count++;
        return table;
    }

    /** Only after a flush. */
    void free(long table) {
        pages.free(table, 0);
        count--;
    }

    long count() {
        return count;
    }

    /** {@return the RAM that holds a table} */
    MemorySegment segment(long table) {
        return ram.memory(ram.find(table));
    }

    /** {@return where in it the table starts} */
    long offset(long table) {
        return table - ram.first(ram.find(table));
    }

    /** {@return an entry of a table, seen with all that was written before it} */
    long get(long table, int index) {
        int region = ram.find(table);
        return get(ram.memory(region), table - ram.first(region) + (long) index * Long.BYTES);
    }

    static long get(MemorySegment segment, long at) {
        return (long) ENTRY.getAcquire(segment, at);
    }

    static void set(MemorySegment segment, long at, long entry) {
        ENTRY.setRelease(segment, at, entry);
    }

    /** {@return whether so many entries are all 0} */
    static boolean isEmpty(MemorySegment segment, long at, int count) {
        long bytes = (long) count * Long.BYTES;
        return MemorySegment.mismatch(segment, at, at + bytes, ZEROS, 0, bytes) < 0;
    }

    /**
     * Sets entries that are 0. The copy is of aligned longs, each of which it moves as one, so a
     * walk sees an entry or none.
     */
    static void setAll(MemorySegment segment, long at, long[] entries, int count) {
        VarHandle.releaseFence();
        MemorySegment.copy(entries, 0, segment, ENTRY_LAYOUT, at, count);
    }

    static boolean replace(MemorySegment segment, long at, long before, long now) {
        return ENTRY.compareAndSet(segment, at, before, now);
    }

    static long take(MemorySegment segment, long at) {
        return (long) ENTRY.getAndSet(segment, at, 0L);
    }
}
