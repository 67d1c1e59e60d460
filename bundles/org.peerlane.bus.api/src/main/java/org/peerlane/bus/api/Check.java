package org.peerlane.bus.api;

/** Refuses what a plugin says wrongly of its function. */
final class Check {
    private Check() {}

    static void range(String what, long value, long low, long high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(
                    "%s 0x%x; expected 0x%x to 0x%x".formatted(what, value, low, high));
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // would take a dependency for one private class
    static void that(boolean holds, String sentence, Object... values) {
        if (!holds) {
            throw new IllegalArgumentException(sentence.formatted(values));
        }
    }

    static boolean isPowerOfTwo(long value) {
        return Long.bitCount(value) == 1;
    }
}
