package org.peerlane.iommu.core;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.DomainSpec;
import org.peerlane.iommu.api.Iommu;
import org.peerlane.iommu.core.table.Gather;
import org.peerlane.iommu.core.table.PageTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Which requester is in which domain, and the way from one to another.
 *
 * <p><b>A switch</b> enters the requester into the new domain's list, publishes the context, waits
 * for what began before, empties the IOTLB and the device TLB, answers open page requests, and only
 * then leaves the old domain's list: a flush of either domain at any moment covers it.
 *
 * <p><b>Locks.</b> One for all of that; flushes take none. <b>Threads.</b> Any.
 */
final class Contexts {
    private static final int PASIDS = 1 << 20;

    private final Execution execution;
    private final NamedLock lock;
    private final ContextTable table;
    private final Flusher flusher;
    private final PageRequests pageRequests;
    private final ReservedRanges reserved;
    private final TableFactory tables;
    private final int outputBits;
    private final IommuTrace trace;
    private final Checkpoint listed;
    private final Checkpoint published;
    private final Map<PcieAddress, Requester> requesters = new HashMap<>(); // guarded by lock
    private final BitSet tags = new BitSet(); // guarded by lock
    private final SortedMap<Integer, Domain> domains = new TreeMap<>(); // guarded by lock

    final Domain identity;
    final Domain blocked;

    Contexts(
            Execution execution,
            ContextTable table,
            Flusher flusher,
            PageRequests pageRequests,
            ReservedRanges reserved,
            TableFactory tables,
            int outputBits,
            IommuTrace trace) {
        this.table = table;
        this.flusher = flusher;
        this.pageRequests = pageRequests;
        this.reserved = reserved;
        this.tables = tables;
        this.outputBits = outputBits;
        this.trace = trace;
        this.execution = execution;
        lock = execution.lock("iommu.contexts");
        listed = execution.checkpoint("iommu.attach.listed");
        published = execution.checkpoint("iommu.attach.published");
        identity = new Domain(DomainKind.IDENTITY, 0, null, null, Set.of(), this, trace);
        blocked = new Domain(DomainKind.BLOCKED, 0, null, null, Set.of(), this, trace);
        tags.set(0);
    }

    Flusher flusher() {
        return flusher;
    }

    /** {@return how wide a physical address may be} */
    int outputBits() {
        return outputBits;
    }

    NamedLock lock() {
        return lock;
    }

    Domain newDomain(DomainSpec spec) {
        lock.lock();
        try {
            int tag = tags.nextClearBit(1);
            if (tag >= Iotlb.TAGS) {
                throw new ErrnoException(
                        Errno.ENOSPC, "all " + Iotlb.TAGS + " domain tags are in use");
            }
            TableFlush flush = new TableFlush(flusher);
            Domain domain =
                    new Domain(
                            DomainKind.PAGING,
                            tag,
                            tables.make(spec, flush),
                            spec.format(),
                            spec.flags(),
                            this,
                            trace);
            flush.domain = domain;
            tags.set(tag);
            domains.put(tag, domain);
            return domain;
        } finally {
            lock.unlock();
        }
    }

    void close(Domain domain) {
        lock.lock();
        try {
            if (domain.isClosed()) {
                return;
            }
            if (!domain.attached().isEmpty()) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "%s has %s attached; detach first"
                                .formatted(domain, domain.attached().requesters[0].address));
            }
            domain.free();
            tags.clear(domain.tag());
            domains.remove(domain.tag());
        } finally {
            lock.unlock();
        }
    }

    /** {@return the domains that have a table, by tag} */
    List<Domain> domains() {
        lock.lock();
        try {
            return List.copyOf(domains.values());
        } finally {
            lock.unlock();
        }
    }

    /** {@return what is kept of a function, or null: nothing} */
    @Nullable Requester known(PcieAddress function) {
        lock.lock();
        try {
            return requesters.get(function);
        } finally {
            lock.unlock();
        }
    }

    /** {@return what is kept of a function} */
    Requester requester(PcieAddress function) {
        lock.lock();
        try {
            return requesters.computeIfAbsent(function, f -> new Requester(f, execution));
        } finally {
            lock.unlock();
        }
    }

    void attach(PcieAddress function, int pasid, Domain domain) {
        lock.lock();
        try {
            Requester requester = requester(function);
            Domain now = requester.domain(pasid);
            if (now != null && now != requester.defaultDomain) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "%s%s is in %s; detach or replace it"
                                .formatted(function, pasidText(pasid), now));
            }
            change(requester, pasid, domain);
        } finally {
            lock.unlock();
        }
    }

    void replace(PcieAddress function, int pasid, Domain domain) {
        lock.lock();
        try {
            change(requester(function), pasid, domain);
        } finally {
            lock.unlock();
        }
    }

    void detach(PcieAddress function, int pasid) {
        lock.lock();
        try {
            Requester requester = requester(function);
            if (requester.domain(pasid) != null) {
                move(requester, pasid, pasid == Iommu.NO_PASID ? requester.defaultDomain : null);
            }
        } finally {
            lock.unlock();
        }
    }

    private void change(Requester requester, int pasid, Domain domain) {
        if (!domain.belongsTo(this) || domain.isClosed()) {
            throw new ErrnoException(
                    Errno.EINVAL, domain + " is closed or of another IOMMU; nothing was attached");
        }
        if (domain.kind() == DomainKind.BLOCKED && reserved.needsDirect(requester.address)) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    requester.address + " has a DIRECT range, so it must not be blocked");
        }
        if (pasid != Iommu.NO_PASID) {
            if (pasid < 0 || pasid >= PASIDS) {
                throw new ErrnoException(
                        Errno.EINVAL, "PASID %d; expected 0 to %d".formatted(pasid, PASIDS - 1));
            }
            if (!requester.pasid) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "PASID is not enabled at " + requester.address + "; enable it first");
            }
        }
        move(requester, pasid, domain);
    }

    /** [held] The switch itself. */
    @SuppressWarnings("ReferenceEquality")
    void move(Requester requester, int pasid, @Nullable Domain to) {
        assert lock.isHeldByCurrentThread();
        Domain from = requester.domain(pasid);
        if (from == to) {
            return;
        }
        if (to != null) {
            to.attached(to.attached().with(requester, pasid));
        }
        listed.reached();
        requester.domain(pasid, to);
        publish(requester);
        published.reached();
        if (from != null) {
            flusher.switched(requester, pasid);
            pageRequests.discard(requester, pasid);
            from.attached(from.attached().without(requester, pasid));
        }
        if (to != null && trace.attach.isOn()) {
            trace.attach.emit(
                    new IommuEvents.DomainAttach(requester.address, pasid, to.tag(), to.kind()));
        }
    }

    /** [held] Makes the hardware see what has been changed at a requester. */
    void publish(Requester requester) {
        assert lock.isHeldByCurrentThread();
        table.put(requester.id, requester.context());
    }

    @Nullable Domain domainOf(PcieAddress function, int pasid) {
        lock.lock();
        try {
            Requester requester = requesters.get(function);
            return requester == null ? null : requester.domain(pasid);
        } finally {
            lock.unlock();
        }
    }

    /** Blocks everything: the IOMMU leaves. */
    void clear() {
        lock.lock();
        try {
            table.clear();
        } finally {
            lock.unlock();
        }
    }

    private static String pasidText(int pasid) {
        return pasid == Iommu.NO_PASID ? "" : " PASID " + pasid;
    }

    /** A table's way to the flush of the domain that it is made for. */
    private static final class TableFlush implements PageTable.Flush {
        private final Flusher flusher;
        private @Nullable Domain domain;

        TableFlush(Flusher flusher) {
            this.flusher = flusher;
        }

        @Override
        public void flush(Gather gather) {
            flusher.invalidate(Objects.requireNonNull(domain), gather);
        }
    }
}
