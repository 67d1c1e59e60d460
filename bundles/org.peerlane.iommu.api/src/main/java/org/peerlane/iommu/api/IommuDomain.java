package org.peerlane.iommu.api;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * An I/O address space. Functions are attached to it by {@link Iommu}. Kernel counterpart: {@code
 * struct iommu_domain}.
 *
 * <p><b>Life.</b> Until {@link #close}, which needs that nothing is attached. The identity and the
 * blocked domain live as long as the IOMMU.
 *
 * <p><b>Threads.</b> Any. Maps and unmaps of disjoint ranges need no lock of the caller's (PT-37);
 * overlapping ones are the caller's mistake. {@link #sync} and {@link #unmap(long, long)} wait for
 * transactions and for device TLBs: never call them from inside a transaction.
 *
 * <p><b>Errors.</b> All but {@link #kind} and {@link #close} answer {@code EINVAL} unless the
 * domain is a paging one; {@code ENODEV} after the IOMMU has left.
 */
@ProviderType
public interface IommuDomain extends AutoCloseable {
    /** Devices may read. */
    int READ = 1;

    /** Devices may write. */
    int WRITE = 2;

    /** The target is a BAR (IM-10). */
    int MMIO = 4;

    /** Coherent with the CPU's caches. */
    int CACHE = 8;

    /** {@return what it does with a request} */
    DomainKind kind();

    /** {@return one bit for each page size, by its logarithm} */
    long pageSizes();

    /** {@return what may be mapped; a device that goes beyond faults} */
    AddressRange<Iova> aperture();

    /**
     * Maps a range, all of it or nothing (PT-36). Needs no flush (PT-50).
     *
     * @param iova where from
     * @param physical where to
     * @param bytes how many
     * @param protection of {@link #READ}, {@link #WRITE}, {@link #MMIO}, {@link #CACHE}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL}, {@code EOVERFLOW}, {@code
     *     ERANGE}, {@code ENXIO}, {@code ENOMEM}, {@code EADDRINUSE} as PT-30 and PT-35 say
     */
    void map(long iova, long physical, long bytes, int protection);

    /**
     * Unmaps a range and flushes: when it returns, no device uses the old mapping any more.
     *
     * @return bytes taken out: less if there was a hole, more if a page reached over the end (PT-40
     *     to PT-42)
     */
    long unmap(long iova, long bytes);

    /**
     * Unmaps without a flush: devices may use the old mapping until {@link #sync} (IM-4).
     *
     * @param gather collects what the flush must cover
     * @return as {@link #unmap(long, long)}
     */
    long unmap(long iova, long bytes, FlushGather gather);

    /** {@return an empty gather for this domain} */
    FlushGather newGather();

    /**
     * Flushes what was gathered: IOTLBs, then transactions under way, then device TLBs; only then
     * table pages are given back (PT-51).
     *
     * @return whether all device TLBs have answered; false: one did not in time, its function has
     *     been reported and may use the old mapping still (IM-14)
     */
    boolean sync(FlushGather gather);

    /** {@return the physical address of a byte; empty if it is not mapped (PT-45)} */
    Optional<PhysicalAddress> iovaToPhysical(long iova);

    /**
     * Switches dirty tracking on or off.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EOPNOTSUPP} the domain was made without
     *     {@link DomainFlag#DIRTY_TRACKING}
     */
    void dirtyTracking(boolean on);

    /**
     * Reports what devices have written, and if asked forgets it and flushes, so that the next
     * write is seen again (PT-53).
     *
     * @param clear whether to forget
     * @param report told of each run of dirty bytes
     * @throws org.peerlane.kernel.api.ErrnoException {@code EOPNOTSUPP} as above; {@code EINVAL}
     *     tracking is off and {@code clear} is asked for
     */
    void readDirty(long iova, long bytes, boolean clear, DirtyReport report);

    /** Sets who is told of faults in this domain. Null: nobody. */
    void onFault(@Nullable FaultListener listener);

    /**
     * Sets who answers page requests in this domain. Null: nobody; groups are answered {@code
     * INVALID} at once (PT-61).
     */
    void onPageRequest(@Nullable PageRequestHandler handler);

    /**
     * Frees the page table.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} something is attached; {@code
     *     EINVAL} it is the identity or the blocked domain
     */
    @Override
    void close();

    /** Told of a run of bytes that devices have written. */
    @FunctionalInterface
    interface DirtyReport {
        /** The bytes from an IOVA on are dirty. */
        void dirty(long iova, long bytes);
    }
}
