package org.peerlane.iommu.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Collection;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.iommu.core.table.TableCache;
import org.peerlane.iommu.core.table.Walk;
import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Translations that one thread of a device has used: 128 sets of 4. A leaf is kept at the largest
 * of four sizes that it covers, so large pages cost one entry and a look-up at most four probes.
 *
 * <pre>
 *  cells  | version, apart from the rest | sets |
 *  set    | 4 keys | 4 values |
 *  key    | iova 63:12 | unused 11:10 | domain 9:0 |
 *  value  | domain 63:52 | physical 51:12 | log of the size 7:2 | W | R |   no W, no R: empty
 * </pre>
 *
 * <p><b>W</b> means that a write may go on without a walk: permission is there, and the leaf is
 * marked dirty (PT-53).
 *
 * <p><b>Threads.</b> Only the owner keeps entries, so it needs no atomic instruction and looks its
 * own up without any. Two entries of one page are possible, of different permissions. Whoever
 * invalidates writes zero over values and nothing else: at worst a good entry is lost. Other
 * threads look up too: the version is odd while the owner changes something, and who reads two
 * different versions has found nothing. It also says how much has been kept (see {@link Flusher}).
 * <b>Cost.</b> A hit: one cache line, no write, no allocation.
 */
final class IotlbBank {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle OWNER;

    static {
        try {
            OWNER = MethodHandles.lookup().findVarHandle(IotlbBank.class, "owner", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int VERSION = 8;
    private static final int FIRST = 16;
    private static final int SETS = 128;
    private static final int WAYS = 4;
    private static final int SET_LONGS = 2 * WAYS;
    private static final int LONGS = FIRST + SETS * SET_LONGS;
    private static final int PAGE_LG2 = 12;
    private static final int KEY_TAG_BITS = 10;
    private static final int VALUE_TAG_SHIFT = 52;

    /** Spreads a counter's values over its high bits. */
    private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

    /** Sizes that entries have, by their logarithm. */
    private static final int[] CLASSES = {12, 16, 21, 30};

    /** Ranges of up to so many pages are looked for, longer ones swept. */
    private static final long PROBED_PAGES = 16;

    /** The upper levels of the walks of the same thread. */
    final TableCache tables = new TableCache();

    private final long[] cells = new long[LONGS];
    private volatile Thread owner;

    /** One bit for each class that has had entries. Written by the owner. */
    private int used;

    IotlbBank(Thread owner) {
        this.owner = owner;
    }

    Thread owner() {
        return owner;
    }

    /** {@return whether the bank of a thread that has ended belongs to another now} */
    boolean inherit(Thread from, Thread to) {
        return OWNER.compareAndSet(this, from, to);
    }

    /** {@return a number that rises with everything that is kept; odd: right now} */
    long version() {
        return (long) CELL.getAcquire(cells, VERSION) + tables.version();
    }

    /**
     * The owner looks a 4 KiB page up.
     *
     * @param need {@link PageTable#READ} or {@link PageTable#WRITE}
     * @return the value of the entry, see {@link Walk}; or 0: a miss
     */
    long findSmall(int tag, long iova, int need) {
        return find(key(tag, iova, PAGE_LG2), tag, PAGE_LG2, need);
    }

    /** {@return as above, for the larger sizes} */
    long findLarge(int tag, long iova, int need) {
        for (int left = used & ~1; left != 0; left &= left - 1) {
            int lg2 = CLASSES[Integer.numberOfTrailingZeros(left)];
            long value = find(key(tag, iova, lg2), tag, lg2, need);
            if (value != 0) {
                return value;
            }
        }
        return 0;
    }

    private long find(long key, int tag, int lg2, int need) {
        long[] c = cells;
        int set = set(key, lg2);
        if (c[set] == key) {
            long value = (long) CELL.getOpaque(c, set + WAYS);
            if (matches(value, tag, lg2) && (value & need) != 0) {
                return value;
            }
        }
        if (c[set + 1] == key) {
            long value = (long) CELL.getOpaque(c, set + 1 + WAYS);
            if (matches(value, tag, lg2) && (value & need) != 0) {
                return value;
            }
        }
        if (c[set + 2] == key) {
            long value = (long) CELL.getOpaque(c, set + 2 + WAYS);
            if (matches(value, tag, lg2) && (value & need) != 0) {
                return value;
            }
        }
        if (c[set + 3] == key) {
            long value = (long) CELL.getOpaque(c, set + 3 + WAYS);
            if (matches(value, tag, lg2) && (value & need) != 0) {
                return value;
            }
        }
        return 0;
    }

    /** {@return what another thread than the owner finds, of any size} */
    long peek(int tag, long iova, int need) {
        long version = (long) CELL.getAcquire(cells, VERSION);
        long value = 0;
        if ((version & 1) == 0) {
            value = findSmall(tag, iova, need);
            if (value == 0) {
                value = findLarge(tag, iova, need);
            }
        }
        VarHandle.acquireFence();
        return (long) CELL.getOpaque(cells, VERSION) == version ? value : 0;
    }

    /**
     * The owner keeps what a walk has found.
     *
     * @param walked see {@link Walk}; W if no walk is needed to write
     */
    void put(int tag, long iova, long walked) {
        int index = classOf(Walk.lg2(walked));
        int lg2 = CLASSES[index];
        used |= 1 << index;
        long physical = Walk.physical(walked, iova) & -1L << lg2;
        keep(tag, key(tag, iova, lg2), lg2, physical | (long) lg2 << 2 | walked & 3);
    }

    /** The same of a leaf of 4 KiB. */
    void putSmall(int tag, long iova, long walked) {
        used |= 1;
        keep(tag, key(tag, iova, PAGE_LG2), PAGE_LG2, walked);
    }

    private void keep(int tag, long key, int lg2, long entry) {
        long[] c = cells;
        int set = set(key, lg2);
        int at = free(c, set);
        long version = c[VERSION];
        CELL.setOpaque(c, VERSION, version + 1);
        VarHandle.storeStoreFence();
        c[at] = key;
        CELL.setRelease(c, at + WAYS, (long) (tag >>> KEY_TAG_BITS) << VALUE_TAG_SHIFT | entry);
        CELL.setRelease(c, VERSION, version + 2);
    }

    /** {@return where an entry goes: to an empty place, or to one that chance picks} */
    private static int free(long[] c, int set) {
        if ((c[set + 4] & 3) == 0) {
            return set;
        }
        if ((c[set + 5] & 3) == 0) {
            return set + 1;
        }
        if ((c[set + 6] & 3) == 0) {
            return set + 2;
        }
        if ((c[set + 7] & 3) == 0) {
            return set + 3;
        }
        return set + (int) (c[VERSION] * MIX >>> 62);
    }

    private static int classOf(int lg2) {
        return lg2 < CLASSES[1] ? 0 : lg2 < CLASSES[2] ? 1 : lg2 < CLASSES[3] ? 2 : 3;
    }

    /** Forgets what a domain maps from {@code first} to {@code last}. */
    void invalidate(int tag, long first, long last) {
        tables.invalidate(tag, first, last);
        if (Long.compareUnsigned((last >>> PAGE_LG2) - (first >>> PAGE_LG2), PROBED_PAGES) >= 0) {
            sweep(tag, first, last);
            return;
        }
        for (int lg2 : CLASSES) {
            long end = last >>> lg2;
            for (long page = first >>> lg2; page <= end; page++) {
                long key = key(tag, page << lg2, lg2);
                int set = set(key, lg2);
                for (int at = set; at < set + WAYS; at++) {
                    if ((long) CELL.getAcquire(cells, at) == key
                            && matches((long) CELL.getOpaque(cells, at + WAYS), tag, lg2)) {
                        CELL.setOpaque(cells, at + WAYS, 0L);
                    }
                }
            }
        }
    }

    /** Forgets everything. */
    void clear() {
        tables.clear();
        sweep(-1, 0, -1);
    }

    private void sweep(int tag, long first, long last) {
        for (int at = FIRST; at < LONGS; at = next(at)) {
            long key = (long) CELL.getAcquire(cells, at);
            long value = (long) CELL.getOpaque(cells, at + WAYS);
            if ((value & 3) != 0 && (tag < 0 || tagOf(key, value) == tag)) {
                long from = key & -1L << PAGE_LG2;
                long to = from + Walk.bytes(value) - 1;
                if (Long.compareUnsigned(from, last) <= 0 && Long.compareUnsigned(to, first) >= 0) {
                    CELL.setOpaque(cells, at + WAYS, 0L);
                }
            }
        }
    }

    private static int next(int at) {
        return (at & WAYS - 1) == WAYS - 1 ? at + 1 + WAYS : at + 1;
    }

    /** Adds what is kept; for reports. */
    void addTo(Collection<IotlbEntry> found) {
        for (int at = FIRST; at < LONGS; at = next(at)) {
            long version = (long) CELL.getAcquire(cells, VERSION);
            long key = (long) CELL.getAcquire(cells, at);
            long value = (long) CELL.getAcquire(cells, at + WAYS);
            if ((value & 3) != 0
                    && (version & 1) == 0
                    && (long) CELL.getOpaque(cells, VERSION) == version) {
                found.add(
                        new IotlbEntry(
                                tagOf(key, value),
                                new Iova(key & -1L << PAGE_LG2),
                                new PhysicalAddress(value & Walk.PHYSICAL),
                                Walk.bytes(value),
                                (value & PageTable.READ) != 0,
                                (value & PageTable.WRITE) != 0));
            }
        }
    }

    private static long key(int tag, long iova, int lg2) {
        return iova & -1L << lg2 | tag & (1 << KEY_TAG_BITS) - 1;
    }

    private static boolean matches(long value, int tag, int lg2) {
        return (value & 3) != 0
                && Walk.lg2(value) == lg2
                && value >>> VALUE_TAG_SHIFT == tag >>> KEY_TAG_BITS;
    }

    private static int tagOf(long key, long value) {
        return (int) (value >>> VALUE_TAG_SHIFT) << KEY_TAG_BITS
                | (int) key & (1 << KEY_TAG_BITS) - 1;
    }

    private static int set(long key, int lg2) {
        long page = key >>> lg2;
        return FIRST + (int) ((page ^ page >>> 7 ^ lg2) & SETS - 1) * SET_LONGS;
    }
}
