package org.peerlane.exec.sim;

/** SplitMix64 (Steele, Lea, Flood 2014): the same numbers for a seed on every JDK. */
final class Random64 {
    private long state;

    Random64(long seed) {
        state = seed * 0x9E37_79B9_7F4A_7C15L;
        next(); // seeds that differ by one must not start with numbers that do
    }

    long next() {
        long z = state += 0x9E37_79B9_7F4A_7C15L;
        z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
        return z ^ z >>> 31;
    }

    /** {@return 0 to {@code bound} - 1; the bias is below one in a billion for small bounds} */
    int below(int bound) {
        return (int) ((next() >>> 32) * bound >>> 32);
    }
}
