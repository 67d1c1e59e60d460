package org.peerlane.dmabuf.core;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.AttachOperations.InvalidateMappings;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.MappingType;
import org.peerlane.dmabuf.api.PhysicalList;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One device on one buffer.
 *
 * <p><b>Life.</b> {@code ATTACHING}, {@code LISTED}, {@code FREED}; changes under the reservation.
 * <b>Threads.</b> Any.
 */
final class BufferAttachment implements Attachment {
    /** Where it is in its life. */
    enum Life {
        /** The exporter is being asked. */
        ATTACHING,
        /** An invalidation reaches it. */
        LISTED,
        /** Nobody may use it. */
        FREED
    }

    private final long id;
    private final Buffer buffer;
    private final OwnerDmaBufs owner;
    private final ImporterDevice device;
    private final Services services;
    private final boolean dynamic;
    private final boolean revocable;
    private volatile @Nullable Object importerPrivate;
    private final AtomicInteger pins = new AtomicInteger();
    private final AtomicInteger mappingCount = new AtomicInteger();
    private final PhysicalMappings physical = new PhysicalMappings(this);
    private final PeerTables peerTables = new PeerTables(this);
    private final AttachTimeMap attachTimeMap = new AttachTimeMap(this);

    /** Null once the importer has left. */
    private volatile @Nullable InvalidateMappings callback;

    /** [held] The mapping made last; may have been taken back. */
    private @Nullable BufferMapping latest;

    /** Mappings up to this generation were drained by a callback that could not add a fence. */
    private volatile long promisedIdle = -1;

    /** The generation that the last callback which has returned was about. */
    private volatile long told;

    private volatile @Nullable Object exporterPrivate;
    private volatile boolean peer2peer;
    private volatile MappingType mappingType;
    private volatile Life life = Life.ATTACHING;

    /** Why nothing new is possible, for people; null: it is. */
    private volatile @Nullable String leaving;

    /** The core has taken back what the importer had. */
    private volatile boolean takenBack;

    private final AtomicBoolean detachTold = new AtomicBoolean();

    BufferAttachment(
            long id,
            Buffer buffer,
            OwnerDmaBufs owner,
            ImporterDevice device,
            @Nullable AttachOperations operations,
            @Nullable Object importerPrivate,
            MappingType mappingType) {
        this.id = id;
        this.buffer = buffer;
        this.owner = owner;
        this.device = device;
        this.importerPrivate = importerPrivate;
        this.mappingType = mappingType;
        services = buffer.services();
        dynamic = operations != null;
        callback = operations == null ? null : operations.invalidate();
        revocable = callback != null;
        peer2peer = operations != null && operations.allowPeer2Peer();
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public Buffer buffer() {
        return buffer;
    }

    /** {@return the importer} */
    OwnerDmaBufs owner() {
        return owner;
    }

    Services services() {
        return services;
    }

    @Override
    public ImporterDevice device() {
        return device;
    }

    @Override
    public @Nullable Object importerPrivate() {
        return importerPrivate;
    }

    @Override
    public @Nullable Object exporterPrivate() {
        return exporterPrivate;
    }

    @Override
    public void exporterPrivate(@Nullable Object data) {
        exporterPrivate = data;
    }

    @Override
    public boolean isDynamic() {
        return dynamic;
    }

    @Override
    public boolean isRevocable() {
        return revocable;
    }

    @Override
    public boolean peer2peer() {
        return peer2peer;
    }

    @Override
    public void clearPeer2Peer() {
        if (life != Life.ATTACHING) {
            services.report(
                    "DB-22",
                    Severity.WRONG,
                    buffer.owner().owner(),
                    this,
                    0,
                    "%s lowers peer2peer of %s, which is attached; expected that inside attach only"
                            .formatted(buffer.exporterName(), this));
        }
        peer2peer = false;
    }

    /** Before the exporter is asked: what was negotiated. */
    void agreed(MappingType type, boolean peers) {
        mappingType = type;
        peer2peer = peers;
    }

    @Override
    public MappingType mappingType() {
        return mappingType;
    }

    Life life() {
        return life;
    }

    /** [held] */
    void life(Life now) {
        life = now;
    }

    /**
     * Nothing new from here on.
     *
     * @param why such as {@code its device has gone}
     */
    void leaving(String why) {
        leaving = why;
    }

    /** {@return whether the importer's late unmaps and unpins have been done for it} */
    boolean isTakenBack() {
        return takenBack;
    }

    /** [held] Unmaps and unpins for the importer. {@return how many mappings there were} */
    int takeBack() {
        takenBack = true;
        int count = 0;
        for (BufferMapping mapping : buffer.mapped().of(this)) {
            buffer.mapper().unmap(this, mapping, mapping.direction());
            count++;
        }
        count += physical.takeBack();
        attachTimeMap.end();
        while (pins.get() > 0) {
            buffer.pinning().unpin(this);
        }
        return count;
    }

    /** Nothing of an importer that has left is kept here. */
    void forgetImporter() {
        callback = null;
        importerPrivate = null;
    }

    /** [free] The exporter lets go of what it keeps for the attachment, once. */
    void tellDetached() {
        if (detachTold.compareAndSet(false, true)) {
            Exporter exporter = buffer.exporter();
            services.callouts.tell(
                    buffer,
                    exporter.callee(),
                    "detach",
                    () -> exporter.operations().detach(buffer, this));
            buffer.attached().forgot();
        }
    }

    /** [held] */
    void invalidateMappings() {
        InvalidateMappings now = callback;
        if (now != null) {
            now.invalidateMappings(this);
        }
    }

    /** {@return accesses of its device that run now without a fence; below 0: not known} */
    long inFlight() {
        InvalidateMappings now = callback;
        return now == null ? 0 : now.inFlight(this);
    }

    /** [held] Its callback has returned without a fence for what it had mapped. */
    void promiseIdle(long generation) {
        promisedIdle = generation;
    }

    boolean isPromisedIdle(long generation) {
        return generation <= promisedIdle;
    }

    /** [held] The importer has been told that what came before a generation is stale. */
    void told(long generation) {
        told = generation;
    }

    /** {@return whether the importer has been told that mappings of a generation are stale} */
    boolean isTold(long generation) {
        return told > generation;
    }

    @Override
    public int pins() {
        return pins.get();
    }

    AtomicInteger pinCount() {
        return pins;
    }

    /** [held] */
    @Nullable BufferMapping latest() {
        return latest;
    }

    /** [held] */
    void latest(BufferMapping mapping) {
        latest = mapping;
    }

    /** {@return its part of the buffer's mappings; changes with that} */
    AtomicInteger mappingCount() {
        return mappingCount;
    }

    AttachTimeMap attachTimeMap() {
        return attachTimeMap;
    }

    PeerTables peerTables() {
        return peerTables;
    }

    @Override
    public List<DmaBufMapping> mappings() {
        services.requireHeld(buffer, owner.owner(), "mappings");
        return List.copyOf(buffer.mapped().of(this));
    }

    @Override
    public void pin() {
        enter("pin");
        if (!dynamic) {
            services.report(
                    "DB-30",
                    Severity.WRONG,
                    owner.owner(),
                    this,
                    0,
                    "%s pins %s, though it is static and is pinned while mapped"
                            .formatted(device.name(), buffer));
        }
        buffer.pinning().pin(this);
    }

    @Override
    public void unpin() {
        enter("unpin");
        buffer.pinning().unpin(this);
    }

    @Override
    public DmaBufMapping map(DmaDirection direction) {
        enter("map");
        buffer.invalidation().refuseInside("map", this);
        return buffer.mapper().map(this, direction);
    }

    @Override
    public void unmap(DmaBufMapping mapping, DmaDirection direction) {
        enter("unmap");
        buffer.mapper().unmap(this, mapping, direction);
    }

    @Override
    public DmaBufMapping mapUnlocked(DmaDirection direction) {
        refuseHeld("mapUnlocked");
        buffer.reservation().lock(null);
        try {
            return map(direction);
        } finally {
            buffer.reservation().unlock();
        }
    }

    @Override
    public void unmapUnlocked(DmaBufMapping mapping, DmaDirection direction) {
        refuseHeld("unmapUnlocked");
        buffer.reservation().lock(null);
        try {
            unmap(mapping, direction);
        } finally {
            buffer.reservation().unlock();
        }
    }

    @Override
    public PhysicalList mapPhysical() {
        enter("mapPhysical");
        buffer.invalidation().refuseInside("mapPhysical", this);
        return physical.map();
    }

    @Override
    public void unmapPhysical(PhysicalList list) {
        enter("unmapPhysical");
        physical.unmap(list);
    }

    @Override
    public Observation observe(
            PhysicalList list,
            PcieFunction function,
            int pasid,
            long iova,
            long bytes,
            DmaDirection direction) {
        enter("observe");
        return physical.observe(list, function, pasid, iova, bytes, direction);
    }

    /** [held] What was told of physical ranges is not valid any more. */
    void physicalEnded() {
        physical.ended();
    }

    /** {@return physical ranges that the importer still relies on} */
    int physicalMappings() {
        return physical.valid();
    }

    private void enter(String what) {
        services.requireHeld(buffer, owner.owner(), what);
    }

    private void refuseHeld(String what) {
        services.refuseHeld(
                buffer.invalidation().isRunning() ? "CK-24" : "CK-17", buffer, owner.owner(), what);
    }

    /**
     * [held] Refuses to map what is not attached, or not allowed (RK-13).
     *
     * @throws ErrnoException {@code EINVAL}, {@code ENODEV}
     */
    void requireUsable(String what) {
        if (life != Life.LISTED) {
            services.report(
                    life == Life.ATTACHING ? "DB-24" : "DB-32",
                    Severity.FATAL,
                    owner.owner(),
                    this,
                    0,
                    "%s of %s, which is %s; expected one that is attached"
                            .formatted(what, this, life));
            throw new ErrnoException(
                    Errno.EINVAL, "%s of %s, which is %s".formatted(what, this, life));
        }
        buffer.revocation().requireOk(what);
        String why = leaving;
        if (why != null) {
            throw new ErrnoException(Errno.ENODEV, "%s of %s: %s".formatted(what, this, why));
        }
    }

    @Override
    public String toString() {
        return "attachment %d of %s to %s".formatted(id, device.name(), buffer);
    }
}
