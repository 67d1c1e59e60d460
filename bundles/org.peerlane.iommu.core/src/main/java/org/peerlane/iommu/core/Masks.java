package org.peerlane.iommu.core;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/** Checks that all DMA devices share. */
final class Masks {
    private Masks() {}

    /**
     * {@return the highest address of so many bits}
     *
     * @throws ErrnoException {@code EINVAL} not 1 to 64
     */
    static long ofBits(int bits) {
        if (bits < 1 || bits > 64) {
            throw new ErrnoException(
                    Errno.EINVAL, "DMA mask of " + bits + " bits; expected 1 to 64");
        }
        return -1L >>> 64 - bits;
    }

    /**
     * @throws ErrnoException {@code EINVAL} none
     */
    static void checkBytes(long bytes) {
        if (bytes <= 0) {
            throw new ErrnoException(Errno.EINVAL, bytes + " bytes; expected 1 or more");
        }
    }
}
