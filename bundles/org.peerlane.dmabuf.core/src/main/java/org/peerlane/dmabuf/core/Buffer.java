package org.peerlane.dmabuf.core;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.kernel.api.RefCount;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

/**
 * A buffer: what it is, and the parts that do what can be done with it.
 *
 * <p><b>Life.</b> See {@link BufferRegistry}. <b>Locks.</b> The reservation, and inside of it the
 * list lock {@code dmabuf.lists}, a leaf: it lets people look at attachments and mappings without
 * the reservation, and guards what is waited for.
 *
 * <p><b>Threads.</b> Any.
 */
final class Buffer implements DmaBuf {
    private final long id;
    private final Services services;
    private final OwnerDmaBufs owner;
    private final long size;
    private final int flags;
    private final boolean ownsReservation;
    private final String exporterName;
    private final Reservation reservation;
    private final BufferName name = new BufferName();
    private final RefCount references;
    private final long created;

    private final AttachmentList attachments;
    private final MappingSet mapped;
    private final Pinnings pinnings;
    private final MapProtocol mapper;
    private final Invalidation invalidation;
    private final Revocation revocation;
    private final CpuAccesses cpu;
    private final KernelMap kernelMap;
    private final ProcessMappings processMappings;
    private final BufferPoll poll;
    private final SyncFiles syncFiles;
    private final @Nullable EarlyCopies earlyCopies;
    private final AtomicBoolean warned = new AtomicBoolean();

    private final AtomicBoolean storageFree = new AtomicBoolean();

    /** Who answers; the core itself once the exporter has left. */
    private volatile Exporter exporter;

    /** The exporter's, until it leaves. */
    private volatile Object privateData;

    Buffer(
            long id,
            Services services,
            OwnerDmaBufs owner,
            ExportInfo info,
            DmaBufOperations operations,
            Object privateData,
            Reservation reservation,
            BufferRegistry registry) {
        this.id = id;
        this.services = services;
        this.owner = owner;
        size = info.size();
        flags = info.flags() & (ExportInfo.O_ACCMODE | ExportInfo.O_NONBLOCK);
        ownsReservation = info.reservation() == null;
        exporter = new Exporter(operations, owner.callee());
        this.privateData = privateData;
        this.reservation = reservation;
        exporterName = info.exporterName();
        created = services.execution.nanoTime();
        references = new RefCount(toString(), () -> registry.run(this));
        NamedLock lists = services.execution.lock("dmabuf.lists");
        attachments = new AttachmentList(lists);
        mapped = new MappingSet(lists);
        pinnings = new Pinnings(this, services);
        mapper = new MapProtocol(this, services);
        invalidation = new Invalidation(this, services);
        revocation = new Revocation(this, services, lists);
        cpu = new CpuAccesses(this, services);
        kernelMap = new KernelMap(this, services);
        processMappings = new ProcessMappings(this, services, lists);
        poll = new BufferPoll(this, services, lists);
        syncFiles = new SyncFiles(this, services);
        earlyCopies = EarlyCopies.watch(this, services);
    }

    // What it is.

    @Override
    public String fileType() {
        return "dmabuf";
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public String exporterName() {
        return exporterName;
    }

    @Override
    public String name() {
        return name.get();
    }

    @Override
    public void setName(String text) {
        name.set(this, text);
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public int flags() {
        return flags;
    }

    @Override
    public Reservation reservation() {
        return reservation;
    }

    /** {@return whether nobody else has its reservation} */
    boolean ownsReservation() {
        return ownsReservation;
    }

    @Override
    public Object privateData() {
        return privateData;
    }

    @Override
    public long seek(long offset, int whence) {
        if (offset != 0 || whence != SEEK_SET && whence != SEEK_END) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "seek of %s to %d from %d; expected 0 from the start (%d) or the end (%d)"
                            .formatted(this, offset, whence, SEEK_SET, SEEK_END));
        }
        return whence == SEEK_END ? size() : 0;
    }

    long created() {
        return created;
    }

    /** {@return the exporter} */
    OwnerDmaBufs owner() {
        return owner;
    }

    /** {@return who answers} Not to be kept: it changes when the exporter leaves. */
    Exporter exporter() {
        return exporter;
    }

    /** The exporter has left: nothing of it is kept here. */
    void exporter(Exporter instead) {
        exporter = instead;
        privateData = instead;
    }

    /** [free] Nobody uses the storage any more: the exporter frees it, once. */
    void freeStorage() {
        if (storageFree.compareAndSet(false, true)) {
            Exporter its = exporter;
            services.callouts.tell(
                    this, its.callee(), "release", () -> its.operations().release(this));
        }
    }

    /** [held] The last of those who used the storage of an exporter that has left may have gone. */
    void freeStorageIfLeft() {
        if (exporter.operations() instanceof Tombstones tombstones
                && mapped.size() == 0
                && kernelMap.count() == 0) {
            tombstones.freeStorage(this);
        }
    }

    /** It has ended: nobody watches it any more. */
    void unwatch() {
        EarlyCopies watcher = earlyCopies;
        if (watcher != null) {
            watcher.close();
        }
    }

    /** {@return whether the exporter has freed it or does so now} */
    boolean isStorageFree() {
        return storageFree.get();
    }

    Services services() {
        return services;
    }

    /** {@return whether this is the first time} */
    boolean warnOnce() {
        return warned.compareAndSet(false, true);
    }

    // Who holds it.

    @Override
    public void get() {
        references.get();
        if (services.trace.get.isOn()) {
            services.trace.get.emit(new DmaBufEvents.DmaBufGet(id, references.count()));
        }
    }

    @Override
    public boolean getUnlessZero() {
        return references.getUnlessZero();
    }

    @Override
    public void put() {
        services.requireFree(this, "", "put");
        if (services.trace.put.isOn()) {
            services.trace.put.emit(new DmaBufEvents.DmaBufPut(id, references.count() - 1));
        }
        references.put();
    }

    /** See {@link DeferredPuts}. */
    @Override
    public void putLater() {
        services.puts.put(toString(), references);
    }

    @Override
    public int references() {
        return references.count();
    }

    RefCount fileReference() {
        return references;
    }

    // Devices.

    @Override
    public List<Attachment> attachments() {
        services.requireHeld(this, "", "attachments");
        return List.copyOf(attachments.snapshot());
    }

    AttachmentList attached() {
        return attachments;
    }

    MappingSet mapped() {
        return mapped;
    }

    MapProtocol mapper() {
        return mapper;
    }

    @Override
    public int pins() {
        return pinnings.count();
    }

    Pinnings pinning() {
        return pinnings;
    }

    Invalidation invalidation() {
        return invalidation;
    }

    @Override
    public RevokeState revokeState() {
        return revocation.state();
    }

    Revocation revocation() {
        return revocation;
    }

    // The CPU.

    @Override
    public void beginCpuAccess(DmaDirection direction) {
        cpu.begin(direction);
    }

    @Override
    public void endCpuAccess(DmaDirection direction) {
        cpu.end(direction);
    }

    @Override
    public void sync(long flags) {
        cpu.sync(flags);
    }

    CpuAccesses cpuAccesses() {
        return cpu;
    }

    @Override
    public IoSysMap vmap() {
        services.requireHeld(this, "", "vmap");
        return kernelMap.vmap();
    }

    @Override
    public void vunmap(IoSysMap map) {
        services.requireHeld(this, "", "vunmap");
        kernelMap.vunmap(map);
    }

    KernelMap kernelMap() {
        return kernelMap;
    }

    @Override
    public CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset) {
        services.requireFree(this, "", "mmap");
        return processMappings.mmap(space, address, bytes, protection, flags, offset);
    }

    ProcessMappings processMappings() {
        return processMappings;
    }

    // Processes.

    @Override
    public int poll(int events) {
        return poll.ready(events);
    }

    @Override
    public int poll(int events, PollWaiter waiter) {
        return poll.poll(events, waiter);
    }

    @Override
    public boolean cancelPoll(PollWaiter waiter) {
        return poll.cancel(waiter);
    }

    BufferPoll polls() {
        return poll;
    }

    @Override
    public SyncFile exportSyncFile(int flags) {
        return syncFiles.exportSyncFile(flags);
    }

    @Override
    public void importSyncFile(int flags, @Nullable OpenFile file) {
        syncFiles.importSyncFile(flags, file);
    }

    @Override
    public String toString() {
        return exporterName + "#" + id;
    }
}
