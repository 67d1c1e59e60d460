package org.peerlane.vfio.api;

import java.util.List;

/**
 * What feature DMA_BUF is asked for.
 *
 * @param regionIndex which BAR
 * @param openFlags of the new file: access mode and {@code O_CLOEXEC}; others are not looked at
 * @param flags none are defined
 * @param ranges in the BAR, in the order of the buffer's bytes; may overlap and repeat
 */
public record DmaBufRequest(int regionIndex, int openFlags, int flags, List<Range> ranges) {
    /**
     * A slice of a BAR.
     *
     * @param offset in the BAR, of whole pages
     * @param length of whole pages
     */
    public record Range(long offset, long length) {}

    /** Keeps a copy. */
    public DmaBufRequest {
        ranges = List.copyOf(ranges);
    }

    /**
     * {@return one slice, to be read and written}
     *
     * @param regionIndex which BAR
     * @param offset in the BAR
     * @param length of the slice
     */
    public static DmaBufRequest of(int regionIndex, long offset, long length) {
        return new DmaBufRequest(regionIndex, 2, 0, List.of(new Range(offset, length)));
    }
}
