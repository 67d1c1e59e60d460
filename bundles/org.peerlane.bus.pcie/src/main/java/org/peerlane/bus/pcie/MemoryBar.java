package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Single little-endian accesses to memory, by width. */
final class MemoryBar {
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private MemoryBar() {}

    /** {@return 1, 2, 4 or 8 bytes, zero-extended} */
    static long load(MemorySegment memory, long at, int width) {
        return switch (width) {
            case 1 -> memory.get(U8, at) & 0xFFL;
            case 2 -> memory.get(U16, at) & 0xFFFFL;
            case 4 -> memory.get(U32, at) & 0xFFFF_FFFFL;
            default -> memory.get(U64, at);
        };
    }

    /** Stores the low 1, 2, 4 or 8 bytes. */
    static void store(MemorySegment memory, long at, int width, long value) {
        switch (width) {
            case 1 -> memory.set(U8, at, (byte) value);
            case 2 -> memory.set(U16, at, (short) value);
            case 4 -> memory.set(U32, at, (int) value);
            default -> memory.set(U64, at, value);
        }
    }
}
