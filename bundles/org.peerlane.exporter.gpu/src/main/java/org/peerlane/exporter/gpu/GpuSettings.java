package org.peerlane.exporter.gpu;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * How the driver behaves.
 *
 * @param gttMiB MiB of RAM that each card may address; 0: half of the RAM
 * @param timeoutMillis how long a job may take; after at most twice that the card is reset
 * @param resizeBar whether as much VRAM as can be is put behind the BAR
 */
public record GpuSettings(int gttMiB, int timeoutMillis, boolean resizeBar) {
    /** What it does unless told otherwise. */
    public static final GpuSettings DEFAULT = new GpuSettings(0, 10_000, true);

    /**
     * Checks them.
     *
     * @throws ErrnoException {@code EINVAL}
     */
    public GpuSettings {
        if (gttMiB < 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "gttMiB is %d; expected 0 or more".formatted(gttMiB));
        }
        if (timeoutMillis < 1) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "timeoutMillis is %d; expected at least 1".formatted(timeoutMillis));
        }
    }

    long gttBytes(PhysicalMemory memory) {
        return gttMiB == 0
                ? memory.pages().totalPages() * PhysicalMemory.PAGE_BYTES / 2
                : (long) gttMiB << 20;
    }
}
