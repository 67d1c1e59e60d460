package org.peerlane.dmabuf.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Where exporters and importers meet. Each bundle gets one of its own.
 *
 * <p><b>Life.</b> Until the bundle lets go of it. What the bundle still has then, the core takes
 * back for it: new work is refused with {@code ENODEV}, its buffers are revoked, its fences signal
 * with {@code ENODEV}, its callbacks are never called again, its attachments are unmapped and
 * detached, and a device whose access does not end in time is quarantined.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface DmaBufs {
    /** {@return the bundle, or whatever else this belongs to, for reports} */
    String owner();

    /** {@return where this bundle makes its fences} */
    Fences fences();

    /** {@return a reservation to share among several buffers (DB-4)} */
    Reservation newReservation(String name);

    /** Begins a transaction over several reservations. */
    AcquireContext acquire();

    /**
     * [free] Makes a buffer, with one reference, the caller's (DB-1 to DB-5).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} something is missing
     *     (reported), or a size of 0 or less; {@code ENOENT} this bundle is leaving; {@code
     *     ENOMEM}; {@code ENFILE}. The exporter's release is not called then
     */
    DmaBuf export(ExportInfo info);

    /**
     * [free] Gives a buffer a descriptor; the caller's reference goes with it (DB-6, DB-7).
     *
     * @param buffer null is {@code EINVAL}
     * @param flags O_CLOEXEC
     * @throws org.peerlane.kernel.api.ErrnoException {@code EMFILE}; the reference stays the
     *     caller's
     */
    int fd(FileTable files, @Nullable DmaBuf buffer, int flags);

    /**
     * [free] As {@link #fd}, for an exporter whose buffer is nobody's without the descriptor: the
     * caller's reference goes if there is none, too.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EMFILE}
     */
    default int fdOrPut(FileTable files, DmaBuf buffer, int flags) {
        boolean installed = false;
        try {
            int fd = fd(files, buffer, flags);
            installed = true;
            return fd;
        } finally {
            if (!installed) {
                put(buffer);
            }
        }
    }

    /**
     * [free] {@return the buffer behind a descriptor, with one reference, the caller's (DB-9)}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBADF} no descriptor; {@code EINVAL}
     *     not a buffer's
     */
    DmaBuf get(FileTable files, int fd);

    /**
     * [free] One holder less; null is reported, and nothing else (DB-9). What {@link #export} or
     * {@link #get} has answered goes back here, rather than to the buffer itself: when the bundle
     * leaves it is known what it has.
     */
    void put(@Nullable DmaBuf buffer);

    /**
     * [free] The reference that {@link #export} or {@link #get} has answered is somebody else's
     * from now on, who puts it on the buffer: for an exporter that is asked for buffers by a call.
     * When this bundle leaves, the core does not put it.
     *
     * @return the buffer
     */
    DmaBuf handOver(DmaBuf buffer);

    /** [free] A static attachment: {@link #dynamicAttach} without operations (DB-20). */
    default Attachment attach(@Nullable DmaBuf buffer, @Nullable ImporterDevice device) {
        return dynamicAttach(buffer, device, null, null);
    }

    /**
     * [free] Registers a device on a buffer (DB-20 to DB-24). The callback may come before this
     * returns.
     *
     * @param buffer a reference to it is the importer's until after {@link #detach}
     * @param operations null for a static attachment
     * @param importerPrivate set up: the callback may need it at once
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} something is null (reported),
     *     or operations without a callback before 7.1; {@code ENODEV} revoked, or a side has left;
     *     {@code ENOMEM}; or what the exporter throws
     */
    Attachment dynamicAttach(
            @Nullable DmaBuf buffer,
            @Nullable ImporterDevice device,
            @Nullable AttachOperations operations,
            @Nullable Object importerPrivate);

    /**
     * [free] As {@link #dynamicAttach}, with more than one acceptable way of mapping (IC-1 to IC-3;
     * series {@code maptypes}).
     *
     * @param entries what the importer accepts
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} nothing fits; the sentence says
     *     why each pair did not
     */
    Attachment mappingAttach(
            @Nullable DmaBuf buffer,
            @Nullable ImporterDevice device,
            List<MatchEntry> entries,
            @Nullable AttachOperations operations,
            @Nullable Object importerPrivate);

    /**
     * [free] Takes an attachment back, with nothing mapped and nothing pinned. No callback for it
     * runs when this returns (DB-25, DB-26). Null or another buffer's: reported, and nothing else.
     */
    void detach(@Nullable DmaBuf buffer, @Nullable Attachment attachment);

    /**
     * [held, exporter] Tells every dynamic attachment that its mappings are stale, in the order in
     * which they came (DY-10). Fences that importers have left may use the exporter's slots:
     * reserve again (RV-17).
     */
    void invalidateMappings(DmaBuf buffer);

    /**
     * [free, exporter] Takes access away: refuses new access, invalidates, waits for every fence,
     * then until every mapping has been taken back, and zaps CPU mappings (RK-3). Waits without
     * limit; who is waited for is reported after a while. Again is fine.
     *
     * @param forGood whether it can never come back
     */
    void revoke(DmaBuf buffer, boolean forGood);

    /**
     * [free, exporter] Gives access back after {@link #revoke}: invalidates and waits for the
     * fences once more, then allows new access (RK-16). Nobody is told.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBADFD} it was for good
     */
    void unrevoke(DmaBuf buffer);

    /**
     * [free, exporter] What is behind some of this bundle's buffers goes, while the bundle stays: a
     * device is pulled out, or taken from its driver. They are treated as all of a bundle's are
     * when it leaves: revoked for good, with the machine's limit of time, after which a device that
     * has not let go is quarantined. Their exporter's callbacks are not called any more when this
     * returns, but for what the report names as unfinished.
     *
     * @param who what goes, for reports
     */
    DepartureReport depart(String who, List<DmaBuf> buffers);

    /**
     * [held, exporter, in map] Makes addresses for a BAR's memory by the route that the
     * attachment's device has to it (DB-45). {@link #freeSgTable} takes them back.
     *
     * @param provider null is {@code EINVAL}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no provider, or no route: the
     *     sentence gives the reason; {@code ENOMEM}
     */
    SgTable mapPeer(
            Attachment attachment,
            @Nullable PeerProvider provider,
            List<AddressRange<PhysicalAddress>> ranges,
            DmaDirection direction);

    /** [held, exporter, in unmap] Takes {@link #mapPeer} back (DB-46). */
    void freeSgTable(Attachment attachment, SgTable table, DmaDirection direction);

    /**
     * {@return a sync file around a fence, with one reference, the caller's} Takes its own of the
     * fence.
     */
    SyncFile syncFile(Fence fence);
}
