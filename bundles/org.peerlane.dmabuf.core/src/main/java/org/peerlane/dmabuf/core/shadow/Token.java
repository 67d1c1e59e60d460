package org.peerlane.dmabuf.core.shadow;

/**
 * What goes with a request from its begin to its end.
 *
 * <pre>
 *   63   62      61     60      38 37      24 23     0
 *  | 1 | late | write |  sequence |  reuse   |  slot  |
 * </pre>
 *
 * <p>Slot and reuse say which entry; sequence, how many mappings had been made then, modulo 2^23;
 * late, that none of this mapping's accesses could begin any more.
 */
final class Token {
    static final int MOST_SLOTS = 1 << 24;

    private static final int REUSE_BITS = 14;
    private static final int SEQUENCE_BITS = 23;
    private static final int REUSE_SHIFT = 24;
    private static final int SEQUENCE_SHIFT = REUSE_SHIFT + REUSE_BITS;
    private static final long SEQUENCE_MASK = (1L << SEQUENCE_BITS) - 1;
    private static final long WRITE = 1L << 61;
    private static final long LATE = 1L << 62;
    private static final long SOMETHING = 1L << 63;

    private Token() {}

    static long of(Entry entry, long made, boolean write, boolean late) {
        return SOMETHING
                | (late ? LATE : 0)
                | (write ? WRITE : 0)
                | (made & SEQUENCE_MASK) << SEQUENCE_SHIFT
                | (long) entry.reuse << REUSE_SHIFT
                | entry.slot;
    }

    static int slot(long token) {
        return (int) token & MOST_SLOTS - 1;
    }

    /** {@return whether a token is of an entry, not of another that had or has its slot} */
    static boolean isOf(long token, Entry entry) {
        return ((int) (token >>> REUSE_SHIFT) & (1 << REUSE_BITS) - 1) == entry.reuse;
    }

    static int nextReuse(int reuse) {
        return reuse + 1 & (1 << REUSE_BITS) - 1;
    }

    static boolean isWrite(long token) {
        return (token & WRITE) != 0;
    }

    static boolean isLate(long token) {
        return (token & LATE) != 0;
    }

    /**
     * {@return how many mappings had been made when it began}
     *
     * @param now how many have been made
     */
    static long sequence(long token, long now) {
        return now - (now - (token >>> SEQUENCE_SHIFT) & SEQUENCE_MASK);
    }
}
