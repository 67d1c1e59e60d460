package org.peerlane.iommu.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * One function's DMA addresses. Kernel counterpart: {@code include/linux/dma-mapping.h}.
 *
 * <p><b>Addresses.</b> With an IOMMU in DMA mode an IOVA, below the {@link #mask}; in pass-through
 * mode and without an IOMMU the physical address, if the mask covers it. An address of one function
 * means nothing to another.
 *
 * <p><b>Unmapping.</b> In strict mode the function cannot reach the memory any more when the call
 * returns. In lazy mode it can, for up to 10 ms, and the address is not given out again meanwhile.
 *
 * <p><b>Threads.</b> Any, but never from inside a transaction. Callers that unmap what another
 * thread is unmapping make a mistake, which throws.
 *
 * <p><b>Errors.</b> {@code EINVAL} no bytes; {@code ENOMEM} no address below the mask, or no table
 * page; {@code EBUSY} a domain other than the default one is attached.
 */
@ProviderType
public interface DmaDevice {
    /** {@return whether addresses are IOVAs} */
    boolean isTranslated();

    /**
     * Says how wide an address the device can send; 32 bits until then.
     *
     * @param bits 1 to 64
     * @throws org.peerlane.kernel.api.ErrnoException {@code EIO} addresses are physical, and it
     *     does not cover any memory
     */
    void mask(int bits);

    /** {@return the highest address that the device can send} */
    long mask();

    /**
     * Maps a run of physical memory.
     *
     * @param attributes see {@link MapAttributes}
     * @return the DMA address
     */
    long map(long physical, long bytes, DmaDirection direction, int attributes);

    /**
     * Takes a mapping back.
     *
     * @param address what {@link #map} answered
     * @param bytes what was mapped
     * @throws IllegalStateException it is not mapped: a mistake of the caller's
     */
    void unmap(long address, long bytes);

    /**
     * Takes pages, zeroes and maps them for both directions.
     *
     * @param bytes up to 4 MiB
     */
    CoherentBuffer allocateCoherent(long bytes);

    /** Unmaps, then gives the pages back. */
    void freeCoherent(CoherentBuffer buffer);

    /**
     * Maps runs of memory, all or nothing; neighbours in IOVA become one entry.
     *
     * @param attributes see {@link MapAttributes}
     */
    SgTable map(List<AddressRange<PhysicalAddress>> runs, DmaDirection direction, int attributes);

    /**
     * Maps runs of a peer's BAR by the route that the bus has to it, all or nothing, in order (P2-6
     * to P2-8, PP-5).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} there is no route; {@code
     *     ENOMEM} beyond the mask
     */
    SgTable mapPeer(
            PeerRoute route, List<AddressRange<PhysicalAddress>> runs, DmaDirection direction);

    /**
     * Takes a scatter list back.
     *
     * @throws IllegalStateException it has been taken back already
     */
    void unmap(SgTable table);

    /**
     * {@return a block of IOVA to be linked piece by piece, or null: addresses are not translated,
     * or none is free; the caller maps each piece instead (PP-8)}
     */
    @Nullable IovaRange tryAllocate(long bytes);
}
