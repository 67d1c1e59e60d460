package org.peerlane.device.gpu;

/**
 * The format of page tables: three levels of 512 entries of 8 bytes, little-endian, for virtual
 * addresses of 39 bits.
 *
 * <pre>
 *   virtual  38     30 29     21 20     12 11      0
 *           | level 2 | level 1 | level 0 | offset  |
 *
 *   entry    63                   12 11      4 3    2     1      0
 *           | ADDRESS               | 0       |PAGE|VRAM |WRITE |VALID|
 * </pre>
 *
 * <p>VRAM: ADDRESS is an offset in the VRAM, else an address on the bus. PAGE: the entry maps a
 * page, of 2 MiB in level 1 and of 4 KiB in level 0; else it names the table of the next level, and
 * WRITE is 0. Level 2 has no pages, level 0 nothing else. Bits 20:12 of a page of 2 MiB are 0. Of
 * an entry that is not VALID nothing else counts.
 */
final class PageEntry {
    static final long VALID = 1;
    static final long WRITE = 1 << 1;
    static final long VRAM = 1 << 2;
    static final long PAGE = 1 << 3;

    static final int TOP_LEVEL = 2;
    static final int VIRTUAL_BITS = 39;
    static final long TABLE_BYTES = 4096;
    static final int SMALL_LG2 = 12;
    static final int LARGE_LG2 = 21;

    private static final int LEVEL_BITS = 9;
    private static final long ADDRESS = -TABLE_BYTES;
    private static final long RESERVED = 0xFF0;

    private PageEntry() {}

    /** {@return where in a table of a level the entry of an address is} */
    static long offset(long virtual, int level) {
        return (virtual >>> SMALL_LG2 + level * LEVEL_BITS & (1 << LEVEL_BITS) - 1) * Long.BYTES;
    }

    static long address(long entry) {
        return entry & ADDRESS;
    }

    static boolean is(long entry, long flag) {
        return (entry & flag) != 0;
    }

    /** {@return whether a valid entry may be what it is, in its level} */
    static boolean isWellFormed(long entry, int level) {
        if ((entry & RESERVED) != 0) {
            return false;
        }
        if (!is(entry, PAGE)) {
            return level > 0 && !is(entry, WRITE);
        }
        long low = (1L << LARGE_LG2) - 1 & ADDRESS;
        return level == 0 || level == 1 && (entry & low) == 0;
    }
}
