package org.peerlane.dmabuf.api;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappableKind;

/**
 * What every exporter does. What it may do besides, it says by implementing the nested interfaces
 * too. Kernel counterpart: {@code struct dma_buf_ops}.
 *
 * <p><b>Threads.</b> The thread of the call that caused it. <b>Errors.</b> An {@link
 * org.peerlane.kernel.api.ErrnoException} goes to the caller; anything else that is thrown is
 * reported as this exporter's mistake and answered as {@code EIO}, and other buffers go on.
 */
@ConsumerType
public interface DmaBufOperations {
    /**
     * [free] A device wants to use the buffer. May lower {@link Attachment#peer2peer}, never raise
     * it (DB-22, DB-23).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} the device cannot reach the
     *     storage; {@code EOPNOTSUPP} the importer lacks something that this exporter demands
     */
    default void attach(DmaBuf buffer, Attachment attachment) {}

    /** [free] A device has gone; no callback to it is under way any more (DB-25). */
    default void detach(DmaBuf buffer, Attachment attachment) {}

    /**
     * [held] Makes addresses for the attachment's device. The table describes the current storage
     * and stays valid, whatever moves, until {@link #unmap} (DB-32, DY-15).
     *
     * @return never null (reported, and answered as {@code ENOMEM})
     * @throws org.peerlane.kernel.api.ErrnoException handed to the importer
     */
    SgTable map(Attachment attachment, DmaDirection direction);

    /** [held] Takes addresses back; storage that has moved on meanwhile included. Never fails. */
    void unmap(Attachment attachment, SgTable table, DmaDirection direction);

    /** [free] The last reference has gone: frees the storage. Once per buffer (DB-11). */
    void release(DmaBuf buffer);

    /** An exporter whose storage can be told to stay where it is (DB-30, DB-31). */
    @ConsumerType
    interface Pinning {
        /**
         * [held] The storage stays until {@link #unpin}.
         *
         * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} it cannot be where this
         *     device could reach it
         */
        void pin(Attachment attachment);

        /** [held] Takes one {@link #pin} back. */
        void unpin(Attachment attachment);
    }

    /** An exporter that prepares its memory for the CPU (DB-50, DB-51). */
    @ConsumerType
    interface CpuAccess {
        /** [free] The CPU is about to use it; may take the reservation, may block. */
        void beginCpuAccess(DmaBuf buffer, DmaDirection direction);

        /** [free] The CPU has used it. */
        void endCpuAccess(DmaBuf buffer, DmaDirection direction);
    }

    /** An exporter whose memory the kernel can address (DB-56). */
    @ConsumerType
    interface Vmap {
        /** [held] The first of several; the storage stays where it is until {@link #vunmap}. */
        IoSysMap vmap(DmaBuf buffer);

        /** [held] The last of several. */
        void vunmap(DmaBuf buffer, IoSysMap map);
    }

    /**
     * An exporter whose memory processes can map (DB-54).
     *
     * <p>Called with the mmap lock held and without the reservation, which a fault may take with
     * {@link Reservation#tryLock} only (DB-71).
     */
    @ConsumerType
    interface Mmap {
        /** {@return what the mappings are made of} Asked once per buffer. */
        MappableKind kind(DmaBuf buffer);

        /** [free, mmap lock] A new mapping, before anybody can touch it. */
        void mmap(DmaBuf buffer, CpuMapping mapping);

        /** [free, mmap lock] A touch of an address that has no entry. */
        FaultResult fault(DmaBuf buffer, Fault fault);
    }

    /** An exporter that can be mapped in more ways than by scatter list (IC-2). */
    @ConsumerType
    interface NegotiatedMapping {
        /** {@return [free] what it offers to this attachment's device, best first} */
        List<MatchEntry> mappingTypes(DmaBuf buffer, Attachment attachment);
    }

    /** An exporter that can tell where its memory is (IC-5, RK-31). */
    @ConsumerType
    interface PhysicalRanges {
        /**
         * [held] The ranges in order; valid until the importer's callback, or until {@link
         * #unmapPhysical}.
         *
         * @throws org.peerlane.kernel.api.ErrnoException {@code ENODEV} revoked
         */
        PhysicalList mapPhysical(Attachment attachment);

        /** [held] The importer has let go of the ranges. */
        void unmapPhysical(Attachment attachment, PhysicalList list);
    }
}
