package org.peerlane.memory.core;

/**
 * A set of numbers from 0 on that finds its lowest member at once: a bitmap, and above it bitmaps
 * whose bits say which words below are not 0.
 *
 * <p><b>Cost.</b> Every operation touches at most one word per level, five levels for 2^30 numbers;
 * one bit and a 64th of memory per number. No allocation. <b>Threads.</b> The owner locks.
 */
final class BitTree {
    private static final int WORD_LG2 = 6;

    /** Level 0 has the members; the last level is one word. */
    private final long[][] levels;

    private long count;

    /**
     * Makes an empty set.
     *
     * @param bound numbers are below it
     */
    BitTree(long bound) {
        int depth = 1;
        for (long words = words(bound); words > 1; words = words(words)) {
            depth++;
        }
        levels = new long[depth][];
        long bits = bound;
        for (int i = 0; i < depth; i++) {
            bits = words(bits);
            levels[i] = new long[Math.toIntExact(bits)];
        }
    }

    private static long words(long bits) {
        return Math.max(1, (bits + 63) >>> WORD_LG2);
    }

    /** {@return how many members there are} */
    long count() {
        return count;
    }

    boolean contains(long number) {
        return (levels[0][(int) (number >>> WORD_LG2)] >>> number & 1) != 0;
    }

    /** Adds a number that is not a member. */
    void add(long number) {
        count++;
        long at = number;
        for (long[] level : levels) {
            int word = (int) (at >>> WORD_LG2);
            long before = level[word];
            level[word] = before | 1L << at;
            if (before != 0) {
                return; // the levels above know
            }
            at = word;
        }
    }

    /** Removes a member. */
    void remove(long number) {
        count--;
        long at = number;
        for (long[] level : levels) {
            int word = (int) (at >>> WORD_LG2);
            level[word] &= ~(1L << at);
            if (level[word] != 0) {
                return;
            }
            at = word;
        }
    }

    /** {@return the lowest member, or -1 if there is none} */
    long lowest() {
        if (count == 0) {
            return -1;
        }
        long at = 0;
        for (int i = levels.length - 1; i >= 0; i--) {
            at = at << WORD_LG2 | Long.numberOfTrailingZeros(levels[i][(int) at]);
        }
        return at;
    }
}
