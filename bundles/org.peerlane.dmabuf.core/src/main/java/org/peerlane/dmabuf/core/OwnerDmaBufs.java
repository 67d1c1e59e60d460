package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.MatchEntry;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.SyncFile;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.kernel.api.Profile.Series;

/**
 * The core as one bundle sees it, and what that bundle has: buffers that it exports, attachments
 * that it made.
 *
 * <p><b>Life.</b> Until {@link #close}: new work is refused from then on.
 *
 * <p><b>Threads.</b> Any.
 */
@Component(service = DmaBufs.class, scope = ServiceScope.BUNDLE)
public final class OwnerDmaBufs implements DmaBufs, AutoCloseable {
    private final String owner;
    private final Services services;
    private final BufferRegistry registry;
    private final Exporting exporting;
    private final Attaching attaching;
    private final Fences fences;
    private final Callee callee;
    private final Departures departures;

    /** Whether an object's class is this bundle's. */
    private final Predicate<Object> its;

    /** Buffers whose count is not zero, by number. */
    private final Map<Long, Buffer> buffers = new ConcurrentHashMap<>();

    /** Attachments, the exporter being asked included, by number. */
    private final Map<Long, BufferAttachment> attachments = new ConcurrentHashMap<>();

    private final Holdings holdings = new Holdings();

    private volatile boolean leaving;

    /** For the bundle that asked. */
    @Activate
    public OwnerDmaBufs(ComponentContext context, @Reference DmaBufCore core) {
        this(nameOf(context.getUsingBundle()), core, codeOf(context.getUsingBundle()));
    }

    /** For tests and programs without a framework. */
    public OwnerDmaBufs(String owner, DmaBufCore core) {
        this(owner, core, _ -> false);
    }

    /**
     * @param its whether an object's class is this bundle's, hence nothing to call when it has left
     */
    OwnerDmaBufs(String owner, DmaBufCore core, Predicate<Object> its) {
        this.owner = owner;
        this.its = its;
        departures = core.whoLeaves();
        services = core.services();
        registry = core.registry();
        exporting = new Exporting(services, registry);
        attaching = new Attaching(services);
        fences = services.primitives.fences(owner);
        callee = new Callee(owner, services.execution);
    }

    private static String nameOf(Bundle bundle) {
        String name = bundle.getSymbolicName();
        return name == null ? "bundle " + bundle.getBundleId() : name;
    }

    private static Predicate<Object> codeOf(Bundle bundle) {
        return object -> bundle.equals(FrameworkUtil.getBundle(object.getClass()));
    }

    /** {@return whether an object's class is this bundle's} */
    boolean isIts(Object object) {
        return its.test(object);
    }

    @Override
    public String owner() {
        return owner;
    }

    @Override
    public Fences fences() {
        return fences;
    }

    @Override
    public Reservation newReservation(String name) {
        return services.primitives.reservation(name, owner, 0);
    }

    @Override
    public AcquireContext acquire() {
        return services.primitives.acquire(owner);
    }

    @Override
    public SyncFile syncFile(Fence fence) {
        return services.primitives.syncFile(fence);
    }

    // Buffers.

    @Override
    public DmaBuf export(ExportInfo info) {
        Buffer buffer = exporting.export(this, info);
        holdings.gained(buffer);
        return buffer;
    }

    @Override
    public int fd(FileTable files, @Nullable DmaBuf buffer, int flags) {
        if (!(buffer instanceof Buffer own)) {
            throw new ErrnoException(
                    Errno.EINVAL, "a descriptor for %s; expected a buffer".formatted(buffer));
        }
        services.requireFree(own, owner, "fd");
        long id = own.id(); // it may be closed as soon as it is installed (DB-7)
        int fd = files.install(own);
        holdings.lost(own); // it is the descriptor's
        if (services.trace.fd.isOn()) {
            services.trace.fd.emit(new DmaBufEvents.DmaBufFd(id, fd));
        }
        return fd;
    }

    @Override
    public DmaBuf get(FileTable files, int fd) {
        OpenFile file = files.get(fd);
        if (file instanceof Buffer buffer) {
            if (services.trace.get.isOn()) {
                services.trace.get.emit(
                        new DmaBufEvents.DmaBufGet(buffer.id(), buffer.references()));
            }
            holdings.gained(buffer);
            return buffer;
        }
        file.put();
        throw new ErrnoException(
                Errno.EINVAL,
                "descriptor %d is a %s; expected a dmabuf".formatted(fd, file.fileType()));
    }

    @Override
    public void put(@Nullable DmaBuf buffer) {
        if (buffer == null) {
            report("DB-9", "put of null; expected a buffer");
            return;
        }
        if (buffer instanceof Buffer own) {
            holdings.lost(own);
        }
        buffer.put();
    }

    @Override
    public DmaBuf handOver(DmaBuf buffer) {
        if (buffer instanceof Buffer own) {
            holdings.lost(own);
        }
        return buffer;
    }

    /** [free] Detaches for the bundle, which has left or whose device has gone. */
    void detachFor(BufferAttachment attachment) {
        if (attachment.life() == BufferAttachment.Life.LISTED) {
            attaching.detach(this, attachment.buffer(), attachment);
            if (leaving) {
                attachment.forgetImporter();
                holdings.putFor(attachment.buffer());
            }
        }
    }

    // Attachments.

    @Override
    public Attachment dynamicAttach(
            @Nullable DmaBuf buffer,
            @Nullable ImporterDevice device,
            @Nullable AttachOperations operations,
            @Nullable Object importerPrivate) {
        return attaching.attach(
                this,
                buffer,
                device,
                Negotiation.scatterListOnly(device, operations),
                operations,
                importerPrivate);
    }

    @Override
    public Attachment mappingAttach(
            @Nullable DmaBuf buffer,
            @Nullable ImporterDevice device,
            List<MatchEntry> entries,
            @Nullable AttachOperations operations,
            @Nullable Object importerPrivate) {
        if (!services.profile.has(Series.MAPTYPES)) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP,
                    "profile %s has no mapping types; expected the series maptypes"
                            .formatted(services.profile));
        }
        return attaching.attach(
                this, buffer, device, List.copyOf(entries), operations, importerPrivate);
    }

    @Override
    public void detach(@Nullable DmaBuf buffer, @Nullable Attachment attachment) {
        attaching.detach(this, buffer, attachment);
    }

    // The exporter's.

    @Override
    public void invalidateMappings(DmaBuf buffer) {
        Buffer own = own(buffer, "invalidateMappings");
        services.requireHeld(own, owner, "invalidateMappings");
        own.invalidation().run();
    }

    @Override
    public void revoke(DmaBuf buffer, boolean forGood) {
        own(buffer, "revoke").revocation().revoke(forGood);
    }

    @Override
    public void unrevoke(DmaBuf buffer) {
        own(buffer, "unrevoke").revocation().unrevoke();
    }

    @Override
    public DepartureReport depart(String who, List<DmaBuf> of) {
        return departures.depart(who, of.stream().map(one -> own(one, "depart")).toList());
    }

    /**
     * {@return a buffer that this exports} Only an exporter takes access away (RK-1).
     *
     * @throws ErrnoException {@code EPERM} it is another's
     */
    private Buffer own(DmaBuf buffer, String what) {
        if (buffer instanceof Buffer own && own.owner().equals(this)) {
            return own;
        }
        String sentence = "%s of %s by %s, who does not export it".formatted(what, buffer, owner);
        report("RK-1", sentence);
        throw new ErrnoException(Errno.EPERM, sentence);
    }

    @Override
    public SgTable mapPeer(
            Attachment attachment,
            @Nullable PeerProvider provider,
            List<AddressRange<PhysicalAddress>> ranges,
            DmaDirection direction) {
        BufferAttachment ours = (BufferAttachment) attachment;
        services.requireHeld(ours.buffer(), owner, "mapPeer");
        return ours.peerTables().map(provider, ranges, direction);
    }

    @Override
    public void freeSgTable(Attachment attachment, SgTable table, DmaDirection direction) {
        BufferAttachment ours = (BufferAttachment) attachment;
        services.requireHeld(ours.buffer(), owner, "freeSgTable");
        ours.peerTables().free(table, direction);
    }

    /** {@return whose code its callbacks are} */
    Callee callee() {
        return callee;
    }

    // What this has.

    /** {@return whether its buffer is refused} Nothing is enrolled from then on. */
    boolean isLeaving() {
        return leaving;
    }

    /** {@return false if it is leaving: then it is not enrolled} */
    boolean enrol(Buffer buffer) {
        buffers.put(buffer.id(), buffer);
        if (leaving) { // looked after: either this sees it, or who leaves sees the buffer
            buffers.remove(buffer.id());
            return false;
        }
        return true;
    }

    void forget(Buffer buffer) {
        buffers.remove(buffer.id());
        holdings.forget(buffer);
    }

    /** {@return what it was given references of and has not given back} */
    Holdings holdings() {
        return holdings;
    }

    /** {@return false if it is leaving: then it is not enrolled} */
    boolean enrol(BufferAttachment attachment) {
        attachments.put(attachment.id(), attachment);
        if (leaving) { // as above
            attachments.remove(attachment.id());
            return false;
        }
        return true;
    }

    void forget(BufferAttachment attachment) {
        attachments.remove(attachment.id());
    }

    /** {@return its buffers, oldest first; no reference to any of them} */
    List<Buffer> buffers() {
        List<Buffer> all = new ArrayList<>(buffers.values());
        all.sort((one, other) -> Long.compare(one.id(), other.id()));
        return all;
    }

    /** {@return its attachments, oldest first} */
    List<BufferAttachment> attachments() {
        List<BufferAttachment> all = new ArrayList<>(attachments.values());
        all.sort((one, other) -> Long.compare(one.id(), other.id()));
        return all;
    }

    /**
     * The bundle lets go: refuses new work, and takes back what is left (see {@link Departure}).
     * Attachments that are left are reported; buffers may have to be, since others hold them.
     */
    @Override
    @Deactivate
    public void close() {
        if (leaving) {
            return;
        }
        leaving = true;
        List<BufferAttachment> left = attachments();
        if (!left.isEmpty()) {
            report("CK-6", "%s leaves and has not given back %s".formatted(owner, left));
        }
        departures.leave(this);
    }

    private void report(String rule, String sentence) {
        services.checks.violations().report(rule, Severity.WRONG, owner, 0, 0, 0, sentence);
    }

    @Override
    public String toString() {
        return owner;
    }
}
