package org.peerlane.iommu.core.table;

/**
 * One I/O page table: its pages are pages of the machine's memory, its entries those of a real
 * format. Software maps and unmaps; the hardware walks.
 *
 * <p><b>Threads.</b> Any. Maps and unmaps of ranges that have no byte in common need no lock: a
 * table page is installed by compare-and-swap (PT-37). Overlapping ones are the caller's mistake. A
 * {@link #walk} sees each entry before or after a change, never in between.
 *
 * <p><b>Life.</b> From its making until {@link #free}.
 *
 * <p><b>Flush.</b> Nothing here knows of an IOTLB. What an unmap has taken out goes into a {@link
 * Gather}; the caller flushes its interval and only then gives its table pages back (PT-51).
 */
public interface PageTable {
    /** Memory may be read. */
    int READ = 1;

    /** Memory may be written. */
    int WRITE = 2;

    /** The target is a BAR: no encryption bit, uncached (IM-10). */
    int MMIO = 4;

    /** Coherent: force snoop. */
    int CACHE = 8;

    /** {@return one bit per page size, by its logarithm, that {@link #map} may use} */
    long pageSizes();

    /** {@return the last IOVA that may be mapped once the table has grown} */
    long lastIova();

    /** {@return the physical address of the top table, now} */
    long root();

    /** {@return the level of the top table, now} */
    int topLevel();

    /** {@return what the device's entry says of the table's depth, now; see {@link Format}} */
    int depthField();

    /**
     * Maps a range by the largest pages that fit (PT-31).
     *
     * <p>An empty table in the way of a large leaf is unlinked, flushed by the table's {@link
     * Flush}, and given back (PT-35).
     *
     * @param iova where from
     * @param physical where to
     * @param bytes how many
     * @param protection {@link #READ}, {@link #WRITE} and the others
     * @throws org.peerlane.kernel.api.ErrnoException as PT-30, PT-35 say; what was mapped before
     *     the failure stays, and the exception is a {@link MapFailed} if that is more than nothing
     */
    void map(long iova, long physical, long bytes, int protection);

    /**
     * Takes leaves out, from {@code iova} on, until the range ends or an empty slot stops it (PT-40
     * to PT-43).
     *
     * @return bytes taken out; more than asked if a leaf reached over the end
     */
    long unmap(long iova, long bytes, Gather gather);

    /** {@return the physical address behind an IOVA, or -1: not mapped (PT-45)} */
    long physicalOf(long iova);

    /**
     * The hardware's walk: four loads at four levels, no allocation, no lock. Sets the access and
     * dirty bits that the format has.
     *
     * @param write whether memory will be written
     * @return see {@link Walk}
     */
    long walk(long iova, boolean write);

    /**
     * The same by way of a paging-structure cache: one load, if that has the upper levels.
     *
     * @param cache of the calling thread
     * @param tag names this table in it
     */
    long walk(long iova, boolean write, TableCache cache, int tag);

    /**
     * The part of such a walk that is one load.
     *
     * @param need {@link #READ} or {@link #WRITE}
     * @return see {@link Walk}; or 0: the upper levels are not in the cache, or the entry is no
     *     leaf of 4 KiB, does not grant it, or is to be marked first
     */
    long smallLeaf(long iova, int need, TableCache cache, int tag);

    /**
     * Reads the dirty bits of a range, whole leaves at a time, and clears them if asked.
     *
     * @param clear also clear; the caller flushes then (PT-53)
     * @param report told of each run of dirty bytes
     */
    void dirty(long iova, long bytes, boolean clear, DirtyReport report, Gather gather);

    /** {@return what a walk would find; marks nothing, for reports} */
    Look look(long iova);

    /** {@return how much is mapped; for reports} */
    Usage usage();

    /**
     * Gives the table pages back that an unmap has unlinked, and empties the gather. The caller has
     * flushed.
     */
    void release(Gather gather);

    /**
     * Gives every table page back. Nobody may walk any more; pages in a {@link Gather} are still to
     * be {@linkplain #release released}.
     *
     * @throws IllegalStateException that was done before
     */
    void free();

    /** Flushes for a map that has unlinked an empty table. */
    @FunctionalInterface
    interface Flush {
        /**
         * Invalidates the interval and waits until nobody walks the unlinked pages any more; leaves
         * the gather as it is.
         */
        void flush(Gather gather);
    }

    /** Told of a run of dirty bytes. */
    @FunctionalInterface
    interface DirtyReport {
        /** The bytes from an IOVA on have been written. */
        void dirty(long iova, long bytes);
    }
}
