package org.peerlane.iommu.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Translations that one requester has used: 128 sets of 3, for all its engines. A leaf is kept at
 * the largest of four sizes that it covers, so large pages cost one entry and a look-up at most
 * four probes.
 *
 * <pre>
 *  set    | version | victim | key, value | key, value | key, value |
 *  key    | iova 63:12 | unused 11:10 | domain 9:0 |
 *  value  | domain 63:52 | physical 51:12 | log of the size 7:2 | W | R |   no W, no R: empty
 * </pre>
 *
 * <p><b>W</b> means that a write may go on without a walk: permission is there, and the leaf is
 * marked dirty (PT-53).
 *
 * <p><b>Ordering.</b> A set's version is odd while somebody changes it; who reads two different
 * versions has a miss. {@link #generation} is read before a walk, and {@link #put} refuses what was
 * walked before the last invalidation: else an entry could outlive the flush that it missed. It
 * advances once more when the entries are gone: else who keeps an answer could keep one that was
 * found in between.
 *
 * <p><b>Threads.</b> Any. <b>Cost.</b> A hit: one cache line, no write, no allocation.
 */
final class Iotlb {
    /** One more than the largest domain tag. */
    static final int TAGS = 1 << 22;

    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

    private static final int SETS = 128;
    private static final int SET_LONGS = 8;
    private static final int FIRST_WAY = 2;
    private static final int PAGE_LG2 = 12;
    private static final long PHYSICAL = 0x000F_FFFF_FFFF_F000L;
    private static final int KEY_TAG_BITS = 10;
    private static final int VALUE_TAG_SHIFT = 52;

    /** Sizes that entries have, by their logarithm. */
    private static final int[] CLASSES = {12, 16, 21, 30};

    /** Ranges of up to so many pages are looked for, longer ones swept. */
    private static final long PROBED_PAGES = 16;

    private final long[] cells = new long[SETS * SET_LONGS];

    /** One bit for each class that may have entries. */
    private volatile int used;

    private final DmaTranslation.Generation generation = new DmaTranslation.Generation();

    /** {@return its number is read before a walk or a look-up, and given to {@link #put}} */
    DmaTranslation.Generation generation() {
        return generation;
    }

    /**
     * Looks an address up.
     *
     * @param need {@link PageTable#READ} or {@link PageTable#WRITE}
     * @return the value of the entry, or 0: a miss
     */
    long find(int tag, long iova, int need) {
        long[] c = cells;
        for (int left = used; left != 0; left &= left - 1) {
            int lg2 = CLASSES[Integer.numberOfTrailingZeros(left)];
            long key = key(tag, iova, lg2);
            int set = set(key, lg2);
            long version = (long) CELL.getAcquire(c, set);
            for (int at = set + FIRST_WAY; at < set + SET_LONGS; at += 2) {
                long value = c[at + 1];
                if (c[at] == key && matches(value, tag, lg2)) {
                    VarHandle.acquireFence();
                    if ((version & 1) != 0 || (long) CELL.getOpaque(c, set) != version) {
                        return 0;
                    }
                    if ((value & need) != 0) {
                        return value;
                    }
                    break;
                }
            }
        }
        return 0;
    }

    /** {@return the physical address that an entry gives an IOVA} */
    static long physical(long value, long iova) {
        return value & PHYSICAL | iova & bytes(value) - 1;
    }

    /** {@return how large the page of an entry is} */
    static long bytes(long value) {
        return 1L << (value >>> 2 & 0x3F);
    }

    /**
     * Keeps what a walk has found.
     *
     * @param permissions {@link PageTable#READ}; {@link PageTable#WRITE} if no walk is needed
     * @param leafBytes of the leaf; a power of two, naturally aligned
     * @param seen the generation before the walk
     */
    void put(int tag, long iova, long physical, int permissions, long leafBytes, long seen) {
        int index = CLASSES.length - 1;
        while (index > 0 && leafBytes < 1L << CLASSES[index]) {
            index--;
        }
        int lg2 = CLASSES[index];
        long key = key(tag, iova, lg2);
        int set = set(key, lg2);
        long version = (long) CELL.getAcquire(cells, set);
        if ((used & 1 << index) == 0) {
            markUsed(index);
        }
        if ((version & 1) != 0 || !CELL.compareAndSet(cells, set, version, version + 1)) {
            return; // somebody else is at it: then it is not kept
        }
        if (generation.number() == seen) {
            store(set, key, value(tag, physical, permissions, lg2), tag, lg2);
        }
        CELL.setRelease(cells, set, version + 2);
    }

    private void markUsed(int index) {
        used |= 1 << index; // lost updates only make entries invisible
    }

    private void store(int set, long key, long value, int tag, int lg2) {
        int at = way(set, key, tag, lg2);
        if (at < 0) {
            at = set + FIRST_WAY;
            while (at < set + SET_LONGS && (cells[at + 1] & 3) != 0) {
                at += 2;
            }
            if (at == set + SET_LONGS) {
                int victim = (int) cells[set + 1];
                cells[set + 1] = victim == 2 ? 0 : victim + 1;
                at = set + FIRST_WAY + 2 * victim;
            }
        }
        CELL.setOpaque(cells, at, key);
        CELL.setOpaque(cells, at + 1, value);
    }

    private int way(int set, long key, int tag, int lg2) {
        for (int at = set + FIRST_WAY; at < set + SET_LONGS; at += 2) {
            if ((long) CELL.getOpaque(cells, at) == key
                    && matches((long) CELL.getOpaque(cells, at + 1), tag, lg2)) {
                return at;
            }
        }
        return -1;
    }

    /** Forgets what a domain maps from {@code first} to {@code last}. */
    void invalidate(int tag, long first, long last) {
        generation.advance();
        if (Long.compareUnsigned((last >>> PAGE_LG2) - (first >>> PAGE_LG2), PROBED_PAGES) < 0) {
            for (int lg2 : CLASSES) {
                long end = last >>> lg2;
                for (long page = first >>> lg2; page <= end; page++) {
                    invalidatePage(tag, page << lg2, lg2);
                }
            }
        } else {
            sweep(tag, first, last);
        }
        generation.advance();
    }

    /** Forgets a whole domain. */
    void invalidate(int tag) {
        generation.advance();
        sweep(tag, 0, -1);
        generation.advance();
    }

    /** Forgets everything. */
    void invalidateAll() {
        generation.advance();
        used = 0;
        sweep(-1, 0, -1);
        generation.advance();
    }

    /**
     * A put that has passed its check holds the set; one that comes later fails it. So a set that
     * is not held and has no match stays without one.
     */
    private void invalidatePage(int tag, long iova, int lg2) {
        long key = key(tag, iova, lg2);
        int set = set(key, lg2);
        while (((long) CELL.getVolatile(cells, set) & 1) != 0) {
            Thread.onSpinWait();
        }
        if (way(set, key, tag, lg2) < 0) {
            return;
        }
        long version = hold(set);
        int at = way(set, key, tag, lg2);
        if (at >= 0) {
            CELL.setOpaque(cells, at + 1, 0L);
        }
        CELL.setRelease(cells, set, version + 2);
    }

    private void sweep(int tag, long first, long last) {
        for (int set = 0; set < cells.length; set += SET_LONGS) {
            long version = hold(set);
            for (int at = set + FIRST_WAY; at < set + SET_LONGS; at += 2) {
                long value = cells[at + 1];
                if ((value & 3) != 0 && (tag < 0 || tagOf(cells[at], value) == tag)) {
                    long from = cells[at] & -1L << PAGE_LG2;
                    long to = from + bytes(value) - 1;
                    if (Long.compareUnsigned(from, last) <= 0
                            && Long.compareUnsigned(to, first) >= 0) {
                        CELL.setOpaque(cells, at + 1, 0L);
                    }
                }
            }
            CELL.setRelease(cells, set, version + 2);
        }
    }

    private long hold(int set) {
        while (true) {
            long version = (long) CELL.getVolatile(cells, set);
            if ((version & 1) == 0 && CELL.compareAndSet(cells, set, version, version + 1)) {
                return version;
            }
            Thread.onSpinWait();
        }
    }

    /** {@return what is kept, by domain and IOVA; for reports} */
    List<IotlbEntry> entries() {
        List<IotlbEntry> found = new ArrayList<>();
        for (int set = 0; set < cells.length; set += SET_LONGS) {
            long version = (long) CELL.getAcquire(cells, set);
            List<IotlbEntry> inSet = new ArrayList<>();
            for (int at = set + FIRST_WAY; at < set + SET_LONGS; at += 2) {
                long key = (long) CELL.getOpaque(cells, at);
                long value = (long) CELL.getOpaque(cells, at + 1);
                if ((value & 3) != 0) {
                    inSet.add(
                            new IotlbEntry(
                                    tagOf(key, value),
                                    new Iova(key & -1L << PAGE_LG2),
                                    new PhysicalAddress(value & PHYSICAL),
                                    bytes(value),
                                    (value & PageTable.READ) != 0,
                                    (value & PageTable.WRITE) != 0));
                }
            }
            VarHandle.acquireFence();
            if ((version & 1) == 0 && (long) CELL.getOpaque(cells, set) == version) {
                found.addAll(inSet); // else somebody is at it
            }
        }
        found.sort(
                Comparator.comparingInt(IotlbEntry::domain)
                        .thenComparingLong(e -> e.iova().value()));
        return found;
    }

    /** {@return how many entries there are; for reports} */
    int size() {
        int size = 0;
        for (int set = 0; set < cells.length; set += SET_LONGS) {
            for (int at = set + FIRST_WAY; at < set + SET_LONGS; at += 2) {
                size += ((long) CELL.getOpaque(cells, at + 1) & 3) != 0 ? 1 : 0;
            }
        }
        return size;
    }

    private static long key(int tag, long iova, int lg2) {
        return iova & -1L << lg2 | tag & (1 << KEY_TAG_BITS) - 1;
    }

    private static long value(int tag, long physical, int permissions, int lg2) {
        return (long) (tag >>> KEY_TAG_BITS) << VALUE_TAG_SHIFT
                | physical & PHYSICAL & -1L << lg2
                | (long) lg2 << 2
                | permissions & 3;
    }

    private static boolean matches(long value, int tag, int lg2) {
        return (value & 3) != 0
                && (value >>> 2 & 0x3F) == lg2
                && value >>> VALUE_TAG_SHIFT == tag >>> KEY_TAG_BITS;
    }

    private static int tagOf(long key, long value) {
        return (int) (value >>> VALUE_TAG_SHIFT) << KEY_TAG_BITS
                | (int) key & (1 << KEY_TAG_BITS) - 1;
    }

    private static int set(long key, int lg2) {
        long page = key >>> lg2;
        return (int) ((page ^ page >>> 7 ^ lg2) & SETS - 1) * SET_LONGS;
    }
}
