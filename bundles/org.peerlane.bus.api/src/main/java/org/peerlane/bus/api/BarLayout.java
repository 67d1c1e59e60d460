package org.peerlane.bus.api;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One memory BAR of a function.
 *
 * @param index 0 to 5; a wide one takes the next register too
 * @param bytes its size: a power of two, at least 128 (PC-13)
 * @param wide 64-bit
 * @param prefetchable reads have no side effects
 * @param memory what is behind a memory-like BAR, as long as the BAR; null: registers, reached by
 *     {@link DeviceModel#read} and {@link DeviceModel#write}
 */
public record BarLayout(
        int index, long bytes, boolean wide, boolean prefetchable, @Nullable MemorySegment memory) {

    /** Bytes of the smallest memory BAR. */
    public static final long MIN_BYTES = 128;

    /**
     * @throws IllegalArgumentException a value out of its range
     */
    public BarLayout {
        if (index < 0 || index > (wide ? 4 : 5)) {
            throw new IllegalArgumentException(
                    "BAR index %d; expected 0 to %d".formatted(index, wide ? 4 : 5));
        }
        if (bytes < MIN_BYTES || Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes; expected a power of two of at least %d"
                            .formatted(index, bytes, MIN_BYTES));
        }
        if (!wide && bytes > 1L << 31) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes; a 32-bit BAR has at most 2^31".formatted(index, bytes));
        }
        if (memory != null && memory.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes with a segment of %d"
                            .formatted(index, bytes, memory.byteSize()));
        }
    }

    /** {@return a BAR of registers} */
    public static BarLayout registers(int index, long bytes, boolean wide, boolean prefetchable) {
        return new BarLayout(index, bytes, wide, prefetchable, null);
    }
}
