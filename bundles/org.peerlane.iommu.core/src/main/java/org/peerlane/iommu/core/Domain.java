package org.peerlane.iommu.core;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.peerlane.iommu.api.DomainFlag;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.FaultListener;
import org.peerlane.iommu.api.FlushGather;
import org.peerlane.iommu.api.IommuDomain;
import org.peerlane.iommu.api.PageRequestHandler;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.core.table.Gather;
import org.peerlane.iommu.core.table.MapFailed;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;

/** A domain of this IOMMU. */
final class Domain implements IommuDomain {
    private final DomainKind kind;
    private final int tag;
    private final @Nullable PageTable table;
    private final @Nullable TableFormat format;
    private final Set<DomainFlag> flags;
    private final Contexts contexts;
    private final IommuTrace trace;
    private final AtomicReference<@Nullable Gather> spare = new AtomicReference<>(new Gather());

    /** Written under the lock of {@link Contexts}. */
    private volatile Attached attached = Attached.NOBODY;

    private volatile boolean tracking;
    private volatile boolean closed;
    private volatile @Nullable FaultListener faultListener;
    private volatile @Nullable PageRequestHandler pageRequestHandler;

    /**
     * @param tag names it in IOTLBs
     * @param table of a paging domain; else null
     * @param format of the table; else null
     */
    Domain(
            DomainKind kind,
            int tag,
            @Nullable PageTable table,
            @Nullable TableFormat format,
            Set<DomainFlag> flags,
            Contexts contexts,
            IommuTrace trace) {
        this.kind = kind;
        this.tag = tag;
        this.table = table;
        this.format = format;
        this.flags = flags;
        this.contexts = contexts;
        this.trace = trace;
    }

    @Override
    public DomainKind kind() {
        return kind;
    }

    int tag() {
        return tag;
    }

    /** {@return the page table, or null: this is no paging domain} */
    @Nullable PageTable table() {
        return table;
    }

    /** {@return what kind of table it has, or null: none} */
    @Nullable TableFormat format() {
        return format;
    }

    Attached attached() {
        return attached;
    }

    void attached(Attached now) {
        attached = now;
    }

    boolean isClosed() {
        return closed;
    }

    boolean belongsTo(Contexts others) {
        return contexts == others;
    }

    private PageTable open() {
        PageTable mine = table;
        if (mine == null) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "domain of kind " + kind + " has no mappings; expected a paging domain");
        }
        if (closed) {
            throw new ErrnoException(Errno.ENODEV, "domain " + tag + " has been closed");
        }
        return mine;
    }

    @Override
    public long pageSizes() {
        return open().pageSizes();
    }

    @Override
    public AddressRange<Iova> aperture() {
        return new AddressRange<>(new Iova(0), new Iova(open().lastIova()));
    }

    @Override
    public void map(long iova, long physical, long bytes, int protection) {
        PageTable mine = open();
        if ((protection & WRITE) == 0 && flags.contains(DomainFlag.NO_READ_ONLY)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "mapping of iova 0x%x without write permission in a domain made without read-only"
                            .formatted(iova));
        }
        if (bytes != 0 && (physical + bytes - 1) >>> contexts.outputBits() != 0) {
            throw new ErrnoException(
                    Errno.ERANGE,
                    "physical 0x%x, 0x%x bytes, is beyond %d bits"
                            .formatted(physical, bytes, contexts.outputBits()));
        }
        int effective = flags.contains(DomainFlag.FORCE_COHERENT) ? protection | CACHE : protection;
        try {
            mine.map(iova, physical, bytes, effective);
        } catch (MapFailed e) {
            if (e.mapped() != 0) {
                unmap(iova, e.mapped());
            }
            throw new ErrnoException(e.errno(), e.sentence(), e);
        }
        if (trace.map.isOn()) {
            trace.map.emit(new IommuEvents.DomainMap(tag, iova, physical, bytes, effective));
        }
    }

    @Override
    public long unmap(long iova, long bytes) {
        Gather gather = takeGather();
        long done = unmap(iova, bytes, gather);
        flush(gather);
        return done;
    }

    @Override
    public long unmap(long iova, long bytes, FlushGather gather) {
        return unmap(iova, bytes, mine(gather));
    }

    @Override
    public FlushGather newGather() {
        open();
        return new DomainGather(this);
    }

    @Override
    public boolean sync(FlushGather gather) {
        return contexts.flusher().flush(this, mine(gather));
    }

    private Gather mine(FlushGather gather) {
        if (!(gather instanceof DomainGather own) || own.domain != this) {
            throw new ErrnoException(
                    Errno.EINVAL, "a gather of another domain; expected one of domain " + tag);
        }
        return own.gather;
    }

    /** {@return bytes taken out; nothing is flushed} */
    long unmap(long iova, long bytes, Gather gather) {
        long done = open().unmap(iova, bytes, gather);
        if (trace.unmap.isOn()) {
            trace.unmap.emit(new IommuEvents.DomainUnmap(tag, iova, done));
        }
        if (trace.staleHit.isOn()) { // whoever has kept an answer asks again, and that is seen
            for (Requester requester : attached.requesters) {
                requester.iotlb.generation().advance();
            }
        }
        return done;
    }

    /** {@return an empty gather, to be given back by {@link #flush} or {@link #giveBack}} */
    Gather takeGather() {
        Gather one = spare.getAndSet(null);
        return one == null ? new Gather() : one;
    }

    boolean flush(Gather gather) {
        boolean answered = contexts.flusher().flush(this, gather);
        spare.setRelease(gather);
        return answered;
    }

    /** Flushes everything, then gives the table pages of {@code gather} back. */
    boolean flushAll(Gather gather) {
        return contexts.flusher().flushAll(this, gather);
    }

    void giveBack(Gather gather) {
        gather.clear();
        spare.setRelease(gather);
    }

    @Override
    public Optional<PhysicalAddress> iovaToPhysical(long iova) {
        long physical = open().physicalOf(iova);
        return physical == -1 ? Optional.empty() : Optional.of(new PhysicalAddress(physical));
    }

    @Override
    public void dirtyTracking(boolean on) {
        open();
        checkTrackable();
        tracking = on;
    }

    private void checkTrackable() {
        if (!flags.contains(DomainFlag.DIRTY_TRACKING)) {
            throw new ErrnoException(
                    Errno.EOPNOTSUPP, "domain " + tag + " was made without dirty tracking");
        }
    }

    @Override
    public void readDirty(long iova, long bytes, boolean clear, DirtyReport report) {
        PageTable mine = open();
        checkTrackable();
        if (clear && !tracking) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "dirty tracking of domain " + tag + " is off; switch it on first");
        }
        Gather gather = takeGather();
        mine.dirty(iova, bytes, clear, report::dirty, gather);
        flush(gather);
    }

    @Override
    public void onFault(@Nullable FaultListener listener) {
        faultListener = listener;
    }

    @Nullable FaultListener faultListener() {
        return faultListener;
    }

    @Override
    public void onPageRequest(@Nullable PageRequestHandler handler) {
        pageRequestHandler = handler;
    }

    @Nullable PageRequestHandler pageRequestHandler() {
        return pageRequestHandler;
    }

    @Override
    public void close() {
        if (table == null) {
            throw new ErrnoException(
                    Errno.EINVAL, "the " + kind + " domain lives as long as the IOMMU");
        }
        contexts.close(this);
    }

    /** [held: contexts] Nothing is attached any more. */
    void free() {
        closed = true;
        if (table != null) {
            table.free();
        }
    }

    @Override
    public String toString() {
        return kind + " domain " + tag;
    }
}
