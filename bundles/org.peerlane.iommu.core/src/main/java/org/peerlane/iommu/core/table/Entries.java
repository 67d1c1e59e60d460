package org.peerlane.iommu.core.table;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The bits of one format's entries, as masks, so that one loop serves all formats and asks no
 * object per entry.
 *
 * <pre>
 *           63  62  61  60  59 .. 52  51 .. 12  11 .. 9  8   7   6   5   2   1   0
 * AMDv1         IW  IR  FC   -        address   next lvl         D              PR
 * VT-d 2nd                            address   SNP - D  A   PS              W   R
 * x86-64    XD                        address            -   PS  D   A   U   RW  P
 * </pre>
 *
 * <b>Threads.</b> Any: immutable.
 */
final class Entries {
    static final int ENTRIES = 512;
    static final int GRANULE_LG2 = 12;
    static final int INDEX_LG2 = 9;

    private static final long ADDRESS = (1L << 52) - (1L << 12);
    static final long AMD_SIZED = 7L << 9;

    final Format format;

    /** An entry with none of these bits is empty. */
    final long present;

    /** Where the output address is; of a leaf of AMDv1 its low bits may say the size. */
    final long address;

    /** All of them along the path: it may be read. */
    final long read;

    /** All of them along the path: it may be written. */
    final long write;

    /** The accessed bit, or 0. */
    final long accessed;

    /** The dirty bit. */
    final long dirty;

    /** Must be zero in a pointer to a table. */
    final long tableReserved;

    /**
     * What nearly every entry of a walk holds under a mask, so that one comparison tells: a pointer
     * to a table, accessed, nothing reserved; of level 0, and this much more per level.
     */
    final long usualPointerMask;

    final long usualPointer;
    final long usualPointerStep;

    /** The same of a leaf of 4 KiB. */
    final long usualLeafMask;

    final long usualLeaf;

    /** By level: must be zero in a leaf; -1 where there are no leaves. */
    private final long[] leafReserved = new long[6];

    /** Whether leaves of several equal entries exist. */
    private final boolean contiguous;

    /** Where a leaf says that it has a size of its own; 0 if there are no such leaves. */
    final long sized;

    /** Three bits from here on tell a leaf from a pointer above level 0. */
    final int typeShift;

    /** By what these three bits hold: 1 for a leaf. */
    final int leafTypes;

    /** The bits of an IOVA outside the table's width: all zero, or all one if sign-extended. */
    private final long outside;

    Entries(Format format) {
        this.format = format;
        address = ADDRESS & ~format.encryption();
        outside = format.width() == 64 ? 0 : -1L << format.width();
        contiguous = format.kind() == Format.Kind.AMD_V1;
        sized = contiguous ? AMD_SIZED : 0;
        long reservedInLeaf;
        switch (format.kind()) {
            case AMD_V1 -> {
                present = 1;
                read = 1 | 1L << 61;
                write = 1 | 1L << 62;
                accessed = 0;
                dirty = 1L << 6;
                tableReserved = 0x1FFL << 52;
                reservedInLeaf = 0x7FL << 52;
                typeShift = 9;
                leafTypes = 0b1000_0001;
            }
            case VTD_SECOND_STAGE -> {
                present = -1;
                read = 1;
                write = 2;
                accessed = 1L << 8;
                dirty = 1L << 9;
                tableReserved = 1L << 62 | 1L << 11;
                reservedInLeaf = 1L << 62;
                typeShift = 7;
                leafTypes = 0b1010_1010;
            }
            case X86_FIRST_STAGE -> {
                present = 1;
                read = 1 | 4;
                write = 1 | 4 | 2;
                accessed = 1L << 5;
                dirty = 1L << 6;
                tableReserved = 0;
                reservedInLeaf = 0;
                typeShift = 7;
                leafTypes = 0b1010_1010;
            }
            default -> throw new AssertionError(format.kind());
        }
        long typeMask = contiguous ? AMD_SIZED : 1L << 7;
        long there = accessed | (present == 1 ? 1 : 0);
        usualPointerMask = there | typeMask | tableReserved;
        usualPointer = there;
        usualPointerStep = contiguous ? 1L << 9 : 0;
        usualLeafMask = there | reservedInLeaf | sized;
        usualLeaf = there;
        for (int level = 0; level < leafReserved.length; level++) {
            leafReserved[level] = reservedInLeafOf(level, reservedInLeaf);
        }
    }

    private long reservedInLeafOf(int level, long always) {
        if (contiguous) {
            return level <= 4 ? always : -1;
        }
        if ((format.pageSizes() & 1L << itemLg2(level)) == 0) {
            return -1;
        }
        long pat = format.kind() == Format.Kind.X86_FIRST_STAGE ? 1L << 12 : 0;
        return always | (1L << itemLg2(level)) - (1L << GRANULE_LG2) & ~pat;
    }

    /** {@return the logarithm of the bytes that an entry of a level covers} */
    static int itemLg2(int level) {
        return GRANULE_LG2 + INDEX_LG2 * level;
    }

    /** {@return which entry of a table of this level stands for an IOVA} */
    static int index(long iova, int level) {
        return (int) (iova >>> itemLg2(level)) & ENTRIES - 1;
    }

    /** {@return the level whose leaves are 2^lg2 bytes} */
    static int levelOf(int lg2) {
        return (lg2 - GRANULE_LG2) / INDEX_LG2;
    }

    /** {@return whether the hardware can look an IOVA up at all} */
    boolean fits(long iova) {
        long beyond = iova & outside;
        return beyond == 0 || format.signExtended() && beyond == outside;
    }

    /** {@return whether all of a range can be looked up and lies in one half} */
    boolean fits(long iova, long last) {
        return fits(iova) && fits(last) && (outside == 0 || (iova & outside) == (last & outside));
    }

    /** {@return whether a table with this top level has an entry for an IOVA that fits} */
    boolean covers(int topLevel, long iova) {
        return topLevel == format.maxTopLevel() || iova >>> Format.width(topLevel) == 0;
    }

    boolean isEmpty(long entry) {
        return (entry & present) == 0;
    }

    /** {@return whether an entry that is not empty is a leaf} */
    boolean isLeaf(long entry, int level) {
        return level == 0 || (leafTypes >>> (int) (entry >>> typeShift & 7) & 1) != 0;
    }

    /** {@return whether a leaf says its size itself and may be one of several equal entries} */
    boolean isSized(long leaf) {
        return (leaf & sized) == AMD_SIZED;
    }

    /** {@return the logarithm of the bytes of a leaf (PT-4)} */
    int leafLg2(long entry, int level) {
        return isSized(entry)
                ? Long.numberOfTrailingZeros(~(entry >>> GRANULE_LG2)) + GRANULE_LG2 + 1
                : itemLg2(level);
    }

    /** {@return whether the hardware takes a leaf for damaged} */
    boolean isReserved(long leaf, int level) {
        if ((leaf & leafReserved[level]) != 0) {
            return true;
        }
        if (!contiguous) {
            return false;
        }
        if (isSized(leaf)) {
            int lg2 = leafLg2(leaf, level);
            return lg2 <= itemLg2(level) || lg2 >= itemLg2(level + 1);
        }
        return (leaf & address & (1L << itemLg2(level)) - 1) != 0;
    }

    /** {@return whether the hardware takes an entry that is not empty for damaged} */
    boolean isReserved(long entry, int level, boolean leaf) {
        return leaf ? isReserved(entry, level) : (entry & tableReserved) != 0;
    }

    /**
     * {@return {@link PageTable#READ} and {@link PageTable#WRITE} that a path grants}
     *
     * @param granted the bits that all its entries have
     * @param leaf without its dirty bit there is no WRITE
     */
    int permissions(long granted, long leaf) {
        return ((granted & read) == read ? PageTable.READ : 0)
                | ((granted & write) == write && (leaf & dirty) != 0 ? PageTable.WRITE : 0);
    }

    /** {@return {@link Walk#GRANTED} and {@link Walk#DIRTY}, as above} */
    int marks(long granted, long leaf) {
        return ((granted & write) == write ? Walk.GRANTED : 0)
                | ((leaf & dirty) != 0 ? Walk.DIRTY : 0);
    }

    /** {@return all bits of an entry, but for those of permissions that are not given} */
    long bits(int permissions) {
        long given =
                ((permissions & PageTable.READ) != 0 ? read : 0)
                        | ((permissions & PageTable.WRITE) != 0 ? write : 0);
        return ~(read | write) | given;
    }

    /** {@return the first byte behind a leaf of 2^lg2 bytes} */
    long target(long leaf, int lg2) {
        return leaf & address & -1L << lg2;
    }

    /** {@return the pointer in a table of this level to a page of the next lower one} */
    long pointer(long page, int level) {
        return switch (format.kind()) {
            case AMD_V1 -> page | 1 | 1L << 61 | 1L << 62 | (long) level << 9 | format.encryption();
            case VTD_SECOND_STAGE -> page | 3;
            case X86_FIRST_STAGE -> page | 0x27;
        };
    }

    /** {@return what a leaf says of its size} */
    long sizeBits(int lg2) {
        int level = levelOf(lg2);
        if (contiguous) {
            return lg2 == itemLg2(level) ? 0 : AMD_SIZED | (1L << lg2 - 1) - (1L << GRANULE_LG2);
        }
        return level == 0 ? 0 : 1L << 7;
    }

    /**
     * {@return what a leaf says of its protection}
     *
     * @throws ErrnoException {@code EINVAL} neither READ nor WRITE; not WRITE, where there must be
     *     no read-only mapping
     */
    long protectionBits(int protection) {
        boolean readable = (protection & PageTable.READ) != 0;
        boolean writable = (protection & PageTable.WRITE) != 0;
        if (!readable && !writable) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "protection 0x%x; expected READ, WRITE or both".formatted(protection));
        }
        if (!writable && format.noReadOnly()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "protection 0x%x; expected WRITE, as this table takes no read-only mapping"
                            .formatted(protection));
        }
        boolean snoop = format.coherent() || (protection & PageTable.CACHE) != 0;
        boolean memory = (protection & PageTable.MMIO) == 0;
        return switch (format.kind()) {
            case AMD_V1 ->
                    1
                            | (snoop ? 1L << 60 : 0)
                            | (readable ? 1L << 61 : 0)
                            | (writable ? 1L << 62 : 0)
                            | (memory ? format.encryption() : 0);
            case VTD_SECOND_STAGE ->
                    (readable ? 1 : 0) | (writable ? 2 : 0) | (snoop ? 1L << 11 : 0);
            case X86_FIRST_STAGE -> 1 | 4 | 1 << 5 | (writable ? 2 | 1 << 6 : 0);
        };
    }

    /** {@return the bytes of physical address space that a leaf can point into} */
    long outputBytes() {
        return format.encryption() == 0 ? 1L << 52 : format.encryption();
    }
}
