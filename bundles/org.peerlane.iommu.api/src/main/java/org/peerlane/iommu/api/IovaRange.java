package org.peerlane.iommu.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A block of IOVA that is filled piece by piece (PP-8). Kernel counterpart: {@code struct
 * dma_iova_state}.
 *
 * <p><b>Life.</b> From {@link DmaDevice#tryAllocate} until {@link #destroy} or {@link #free}, after
 * which everything here answers {@code EINVAL}. If a link fails: {@link #unlink} or {@link
 * #destroy} what was linked.
 *
 * <p><b>Threads.</b> One at a time; offsets are 64 bits wide (P2-9).
 */
@ProviderType
public interface IovaRange {
    /** {@return the DMA address of offset 0} */
    long address();

    /** {@return how long it is} */
    long bytes();

    /**
     * Maps a piece.
     *
     * @param physical where to; page aligned
     * @param offset where in the range; page aligned
     * @param bytes how many
     * @param attributes see {@link MapAttributes}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not aligned, or not inside;
     *     {@code EADDRINUSE} linked already; {@code ENOMEM}
     */
    void link(long physical, long offset, long bytes, DmaDirection direction, int attributes);

    /**
     * Makes linked pieces usable; after the last link and before the device is told (PP-8).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not inside
     */
    void sync(long offset, long bytes);

    /**
     * Unmaps pieces and flushes; the block stays.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not inside
     */
    void unlink(long offset, long bytes);

    /**
     * Unmaps all that is linked, flushes, and gives the block back.
     *
     * @param mapped bytes from offset 0 on that are linked; 0: none
     */
    void destroy(long mapped);

    /** Gives the block back; nothing is linked. */
    void free();
}
