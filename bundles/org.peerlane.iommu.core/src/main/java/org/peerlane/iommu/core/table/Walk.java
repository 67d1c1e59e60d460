package org.peerlane.iommu.core.table;

/**
 * What a walk answers, in one word.
 *
 * <pre>
 *  a leaf   | 0 63:52 | physical 51:12 | 0 11:10 | G | D | log of the size 7:2 | W | R |
 *  a fault  | 0                                          | reason          7:2 | 0 | 0 |
 * </pre>
 *
 * <p><b>R, W.</b> What the whole path grants; W only if the leaf is marked dirty now, so that who
 * keeps the answer needs no second walk to write (PT-53). <b>G.</b> The path grants to write.
 * <b>D.</b> The leaf is dirty. Both are for reports; a quick walk may leave them out.
 */
public final class Walk {
    /** Where the physical address is. */
    public static final long PHYSICAL = 0x000F_FFFF_FFFF_F000L;

    private static final int FIELD_SHIFT = 2;
    private static final int FIELD = 0x3F;
    private static final long PERMISSIONS = PageTable.READ | PageTable.WRITE;

    /** The leaf is marked dirty. */
    static final int DIRTY = 1 << 8;

    /** The path grants to write. */
    static final int GRANTED = 1 << 9;

    private Walk() {}

    static long leaf(long physical, int lg2, long permissions) {
        return physical | (long) lg2 << FIELD_SHIFT | permissions;
    }

    static long fault(int reason) {
        return (long) reason << FIELD_SHIFT;
    }

    /** {@return 0, or the reason of the fault (IM-6)} */
    public static int reason(long walked) {
        return (walked & PERMISSIONS) != 0 ? 0 : (int) walked >>> FIELD_SHIFT;
    }

    /** {@return {@link PageTable#READ} and {@link PageTable#WRITE}} */
    public static int permissions(long walked) {
        return (int) (walked & PERMISSIONS);
    }

    /** {@return the logarithm of the bytes of the leaf, all of a contiguous one} */
    public static int lg2(long walked) {
        return (int) (walked >>> FIELD_SHIFT) & FIELD;
    }

    /** {@return the bytes of the leaf} */
    public static long bytes(long walked) {
        return 1L << lg2(walked);
    }

    /** {@return where the byte behind an IOVA in the leaf is} */
    public static long physical(long walked, long iova) {
        return walked & PHYSICAL | iova & bytes(walked) - 1;
    }

    /** {@return the bytes from an IOVA in the leaf to its end} */
    public static long left(long walked, long iova) {
        long bytes = bytes(walked);
        return bytes - (iova & bytes - 1);
    }
}
