package org.peerlane.bus.api;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The expansion ROM of a function (PC-18).
 *
 * @param bytes its size: a power of two from 2 KiB to 16 MiB
 * @param content what reads answer, as long as the ROM; null: {@link DeviceModel#read} of BAR
 *     {@link #INDEX}
 */
public record RomLayout(int bytes, @Nullable MemorySegment content) {
    /** What the ROM is called where BARs are numbered. */
    public static final int INDEX = 6;

    /**
     * @throws IllegalArgumentException a value out of its range
     */
    public RomLayout {
        if (bytes < 1 << 11 || bytes > 1 << 24 || Integer.bitCount(bytes) != 1) {
            throw new IllegalArgumentException(
                    "expansion ROM of %d bytes; expected a power of two from 2048 to 16777216"
                            .formatted(bytes));
        }
        if (content != null && content.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    "expansion ROM of %d bytes with a segment of %d"
                            .formatted(bytes, content.byteSize()));
        }
    }
}
