package org.peerlane.bus.api;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One BAR of a function.
 *
 * @param index 0 to 5; a wide one takes the next register too
 * @param bytes its size: a power of two, at least 128; in I/O space 4 to 256 (PC-13)
 * @param wide 64-bit
 * @param prefetchable reads have no side effects
 * @param io in I/O space, not in memory
 * @param memory what is behind a memory-like BAR: as long as the BAR, or longer if the BAR is
 *     resizable ({@link CapabilityLayout.ResizableBar}); null: registers, reached by {@link
 *     DeviceModel#read} and {@link DeviceModel#write}
 */
public record BarLayout(
        int index,
        long bytes,
        boolean wide,
        boolean prefetchable,
        boolean io,
        @Nullable MemorySegment memory) {

    /** Bytes of the smallest memory BAR. */
    public static final long MIN_BYTES = 128;

    private static final long MIN_IO_BYTES = 4;
    private static final long MAX_IO_BYTES = 256;

    /**
     * @throws IllegalArgumentException a value out of its range
     */
    public BarLayout {
        if (index < 0 || index > (wide ? 4 : 5)) {
            throw new IllegalArgumentException(
                    "BAR index %d; expected 0 to %d".formatted(index, wide ? 4 : 5));
        }
        if (io) {
            checkIo(index, bytes, wide || prefetchable || memory != null);
        } else if (bytes < MIN_BYTES || Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes; expected a power of two of at least %d"
                            .formatted(index, bytes, MIN_BYTES));
        }
        if (!wide && bytes > 1L << 31) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes; a 32-bit BAR has at most 2^31".formatted(index, bytes));
        }
        if (memory != null && memory.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes with a segment of %d"
                            .formatted(index, bytes, memory.byteSize()));
        }
    }

    /** A memory BAR. */
    public BarLayout(
            int index,
            long bytes,
            boolean wide,
            boolean prefetchable,
            @Nullable MemorySegment memory) {
        this(index, bytes, wide, prefetchable, false, memory);
    }

    private static void checkIo(int index, long bytes, boolean ofMemory) {
        if (bytes < MIN_IO_BYTES || bytes > MAX_IO_BYTES || Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException(
                    "BAR %d of %d bytes; in I/O space a power of two from %d to %d is expected"
                            .formatted(index, bytes, MIN_IO_BYTES, MAX_IO_BYTES));
        }
        if (ofMemory) {
            throw new IllegalArgumentException(
                    "BAR %d is in I/O space and cannot be 64-bit, prefetchable or memory-like"
                            .formatted(index));
        }
    }

    /** {@return a BAR of registers} */
    public static BarLayout registers(int index, long bytes, boolean wide, boolean prefetchable) {
        return new BarLayout(index, bytes, wide, prefetchable, null);
    }

    /** {@return a BAR of registers in I/O space} */
    public static BarLayout io(int index, int bytes) {
        return new BarLayout(index, bytes, false, false, true, null);
    }
}
