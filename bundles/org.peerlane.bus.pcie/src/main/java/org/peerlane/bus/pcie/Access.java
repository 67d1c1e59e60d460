package org.peerlane.bus.pcie;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Little-endian reads and writes of 1, 2, 4 or 8 bytes of a segment, zero-extended. */
final class Access {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

    private Access() {}

    /** {@return whether a register access is whole: of a known width, aligned, inside the BAR} */
    static boolean fits(long offset, int bytes, long barBytes) {
        return bytes > 0
                && bytes <= 8
                && (bytes & (bytes - 1)) == 0
                && offset >= 0
                && (offset & (bytes - 1)) == 0
                && offset <= barBytes - bytes;
    }

    static long get(MemorySegment segment, long offset, int bytes) {
        return switch (bytes) {
            case 1 -> segment.get(ValueLayout.JAVA_BYTE, offset) & 0xFFL;
            case 2 -> segment.get(SHORT, offset) & 0xFFFFL;
            case 4 -> segment.get(INT, offset) & 0xFFFF_FFFFL;
            default -> segment.get(LONG, offset);
        };
    }

    static void set(MemorySegment segment, long offset, int bytes, long value) {
        switch (bytes) {
            case 1 -> segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
            case 2 -> segment.set(SHORT, offset, (short) value);
            case 4 -> segment.set(INT, offset, (int) value);
            default -> segment.set(LONG, offset, value);
        }
    }
}
