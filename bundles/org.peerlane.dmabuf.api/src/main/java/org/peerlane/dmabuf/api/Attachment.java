package org.peerlane.dmabuf.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.iommu.api.DmaDirection;

/**
 * One device's registration on one buffer. Kernel counterpart: {@code struct dma_buf_attachment}.
 *
 * <p><b>Life.</b> {@code ATTACHING} while the exporter is asked, {@code LISTED} from then on, freed
 * by {@link DmaBufs#detach}, with nothing mapped and nothing pinned (DB-26).
 *
 * <p><b>Threads.</b> Any, under the buffer's reservation where it says {@code [held]}.
 */
@ProviderType
public interface Attachment {
    /** {@return a number that no other attachment of this machine has or had} */
    long id();

    /** {@return what it is on} */
    DmaBuf buffer();

    /** {@return whose it is} */
    ImporterDevice device();

    /** {@return what the importer keeps with it} */
    @Nullable Object importerPrivate();

    /** {@return what the exporter keeps with it} */
    @Nullable Object exporterPrivate();

    /** Keeps something of the exporter's. */
    void exporterPrivate(@Nullable Object data);

    /** {@return whether the importer gave operations; else it is static and pins while mapped} */
    boolean isDynamic();

    /** {@return whether the exporter can stop its access at any time (DY-20)} */
    boolean isRevocable();

    /** {@return whether the device takes a peer's memory} */
    boolean peer2peer();

    /**
     * Only inside {@link DmaBufOperations#attach}, by the exporter: it must have memory with pages.
     */
    void clearPeer2Peer();

    /** {@return the mapping type that both sides have agreed on (IC-3)} */
    MappingType mappingType();

    /** {@return pins that it holds, implicit ones included} */
    int pins();

    /** {@return [held] what is mapped through it; a copy} */
    List<DmaBufMapping> mappings();

    /**
     * [held] The storage stays where it is until {@link #unpin} (DB-30). For long-lived use.
     *
     * @throws org.peerlane.kernel.api.ErrnoException what the exporter throws
     */
    void pin();

    /** [held] Takes one {@link #pin} back. */
    void unpin();

    /**
     * [held] Makes the buffer addressable by the device. A static attachment is pinned meanwhile,
     * and waits for moves of the storage (DB-31 to DB-34); a dynamic one waits itself, for the
     * {@link FenceUsage#KERNEL} fences at least, before its device touches anything (DB-35, DY-3).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} revoked, or its exporter has
     *     left; {@code ENOMEM}; {@code ERESTARTSYS} interrupted; or what the exporter throws
     */
    DmaBufMapping map(DmaDirection direction);

    /**
     * [held] Takes a mapping back; nothing of the device's is under way through it any more
     * (DB-36).
     *
     * @param direction that of {@link #map}
     * @throws IllegalStateException it is another attachment's, or has been taken back
     */
    void unmap(DmaBufMapping mapping, DmaDirection direction);

    /** [free] {@link #map} with the reservation taken and given back (DB-37). */
    DmaBufMapping mapUnlocked(DmaDirection direction);

    /** [free] {@link #unmap} with the reservation taken and given back. */
    void unmapUnlocked(DmaBufMapping mapping, DmaDirection direction);

    /**
     * [held] Where the buffer is, for an importer that both sides' mapping types or the private
     * interconnect allow it (IC-5, RK-31).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EOPNOTSUPP} the exporter does not tell
     *     this importer; {@code ENODEV} revoked
     */
    PhysicalList mapPhysical();

    /**
     * [held] Takes {@link #mapPhysical} back, and what is left of {@link #observe} for it before.
     */
    void unmapPhysical(PhysicalList list);

    /**
     * [held] Says under which addresses a function reaches physical ranges, now that its domain
     * maps them, so that its use of them is told apart: for owners of domains, one call for each
     * function and run. Only what is reported depends on it. Access after the importer's callback
     * has returned is CK-1, or CK-3 if access was taken away; after {@link Observation#close},
     * CK-2.
     *
     * @param list of {@link #mapPhysical}
     * @param function whose requests
     * @param pasid that its requests carry; -1: none
     * @param iova where the run begins in the domain
     * @param bytes of the run
     * @param direction which way data may go
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the list has not been told or
     *     has been given back; no bytes, or beyond the last address
     */
    Observation observe(
            PhysicalList list,
            PcieFunction function,
            int pasid,
            long iova,
            long bytes,
            DmaDirection direction);

    /** What {@link #observe} began. <b>Threads.</b> Any. */
    @ProviderType
    interface Observation extends AutoCloseable {
        /** The domain does not map the run any more: nothing uses it. Again is fine. */
        @Override
        void close();
    }
}
