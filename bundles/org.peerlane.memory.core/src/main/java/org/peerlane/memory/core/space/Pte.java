package org.peerlane.memory.core.space;

/**
 * An entry of a page table, and a leaf, which is what a walk answers: the physical address of the 4
 * KiB page, some bits of the entry, and the level it was found at.
 *
 * <pre>
 *  63   62     52 51           12 11 10  9        8     7     6 5     2    1    0
 *  NX |          |    frame      |level|SPECIAL|NONE|LARGE| D A |   USER WRITE PRESENT
 * </pre>
 *
 * <b>Source.</b> Intel SDM volume 3, 4.5 (4-level paging), and Linux {@code pgtable_types.h} for
 * the two bits of the software's own: NONE in an entry that is not present is {@code
 * _PAGE_PROTNONE}, SPECIAL is {@code _PAGE_SPECIAL}. The level is in leaves only.
 */
final class Pte {
    static final long PRESENT = 1;
    static final long WRITABLE = 1 << 1;
    static final long USER = 1 << 2;
    static final long ACCESSED = 1 << 5;
    static final long DIRTY = 1 << 6;
    static final long LARGE = 1 << 7;
    static final long NONE = 1 << 8;
    static final long SPECIAL = 1 << 9;
    static final long NO_EXECUTE = 1L << 63;
    static final long FRAME = 0x000f_ffff_ffff_f000L;

    static final long PAGE = 4096;
    static final long PAGE_MASK = PAGE - 1;
    static final int PAGE_LG2 = 12;

    /** Entries of a table, and the bits of an address that choose one. */
    static final int ENTRIES = 512;

    static final int TOP = 3;
    private static final int LEVEL_SHIFT = 10;

    private Pte() {}

    /** {@return log2 of what one entry of a level covers} */
    static int shift(int level) {
        return PAGE_LG2 + 9 * level;
    }

    /** {@return bytes that one entry of a level covers} */
    static long span(int level) {
        return 1L << shift(level);
    }

    /** {@return the entry's number in its table} */
    static int index(long address, int level) {
        return (int) (address >>> shift(level)) & ENTRIES - 1;
    }

    /** {@return whether a present entry of a level leads to a table} */
    static boolean isTable(long entry, int level) {
        return level > 0 && (entry & (PRESENT | LARGE)) == PRESENT;
    }

    static long leaf(long entry, int level, long address) {
        long inside = span(level) - 1;
        return entry & FRAME & ~inside
                | address & inside & ~PAGE_MASK
                | entry & (PRESENT | WRITABLE | SPECIAL)
                | (long) level << LEVEL_SHIFT;
    }

    /** {@return the physical address of a virtual one} */
    static long physical(long leaf, long address) {
        return leaf & FRAME | address & PAGE_MASK;
    }

    /** {@return bytes from the address to the end of what the leaf's entry covers} */
    static long left(long leaf, long address) {
        long covered = span((int) (leaf >>> LEVEL_SHIFT) & 3);
        return covered - (address & covered - 1);
    }
}
