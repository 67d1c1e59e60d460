package org.peerlane.iommu.core;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.RootComplex;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.core.table.Gather;
import org.peerlane.iommu.core.table.PageTable;

/**
 * Makes old translations unused, in the one order that is right: IOTLBs, then transactions that
 * began before, then device TLBs, then the table pages are given back (PT-51). Who calls it has
 * changed the page table before.
 *
 * <p><b>Threads.</b> Any, several at once, never from inside a transaction. <b>Locks.</b> None of
 * its own; it waits for transactions and for devices.
 */
final class Flusher {
    private static final Logger LOG = LogManager.getLogger(Flusher.class);

    private final RootComplex root;
    private final IommuTrace trace;
    private final long atsTimeoutNanos;
    private final Checkpoint invalidated;
    private final Checkpoint drained;
    private final Checkpoint freeing;
    private final AtomicLong timeouts = new AtomicLong();

    Flusher(Execution execution, RootComplex root, IommuTrace trace, long atsTimeoutNanos) {
        this.root = root;
        this.trace = trace;
        this.atsTimeoutNanos = atsTimeoutNanos;
        invalidated = execution.checkpoint("iommu.flush.invalidated");
        drained = execution.checkpoint("iommu.flush.drained");
        freeing = execution.checkpoint("iommu.flush.freeing");
    }

    /**
     * Flushes what was gathered, gives its table pages back, and empties it.
     *
     * @return whether every device TLB has answered
     */
    boolean flush(Domain domain, Gather gather) {
        boolean answered = invalidate(domain, gather);
        release(domain, gather);
        return answered;
    }

    /** Flushes what was gathered and leaves it as it is. */
    boolean invalidate(Domain domain, Gather gather) {
        if (!gather.isEmpty()) {
            return range(domain, gather.first(), gather.last());
        }
        return gather.pages() == 0 || range(domain, 0, -1);
    }

    /** Flushes a whole domain, then gives the table pages of {@code gather} back. */
    boolean flushAll(Domain domain, Gather gather) {
        boolean answered = range(domain, 0, -1);
        release(domain, gather);
        return answered;
    }

    private boolean range(Domain domain, long first, long last) {
        VarHandle.fullFence(); // the entry is gone before anybody is looked for who may have it
        Attached attached = domain.attached();
        iotlbs(attached, domain.tag(), first, last);
        boolean answered = true;
        for (int i = 0; i < attached.by.length; i++) {
            if (attached.by[i].ats) {
                answered &= device(attached.by[i], attached.pasids[i], first, last);
            }
        }
        if (trace.flush.isOn()) {
            trace.flush.emit(new IommuEvents.DomainFlush(domain.tag(), first, last));
        }
        return answered;
    }

    /**
     * Throws a range out of the IOTLBs, and waits for who has used it.
     *
     * <p>A transaction that walked the old table may keep what it found after the IOTLB has been
     * gone through: keeping takes no lock. It is over after the first wait; but a later one may
     * have used what it left, a translation or the way to a table page that is unlinked, and have
     * kept a translation from there. So if anything was kept meanwhile, all is done again, twice:
     * then there is no table page of old to be found, and then no translation.
     */
    private void iotlbs(Attached attached, int tag, long first, long last) {
        long before = version(attached);
        iotlbsOnce(attached, tag, first, last);
        if (version(attached) != before) {
            iotlbsOnce(attached, tag, first, last);
            iotlbsOnce(attached, tag, first, last);
        }
        drained.reached();
    }

    private void iotlbsOnce(Attached attached, int tag, long first, long last) {
        for (Requester requester : attached.requesters) {
            requester.iotlb.invalidate(tag, first, last);
        }
        invalidated.reached();
        for (Requester requester : attached.requesters) {
            root.drain(requester.id);
        }
    }

    private static long version(Attached attached) {
        long sum = 0;
        for (Requester requester : attached.requesters) {
            sum += requester.iotlb.version();
        }
        return sum;
    }

    /**
     * Empties the IOTLB of a requester that has left a domain, and its device TLB. Nothing that
     * began in the old context is there any more when it returns, and no answer of it that somebody
     * has kept.
     */
    boolean switched(Requester requester, int pasid) {
        root.drain(requester.id);
        requester.iotlb.invalidateAll();
        root.drain(requester.id);
        return !requester.ats || device(requester, pasid, 0, -1);
    }

    /** Waits until nothing that began before is under way. */
    void drain(Requester requester) {
        root.drain(requester.id);
    }

    private boolean device(Requester requester, int pasid, long first, long last) {
        int lg2 = Math.max(12, 64 - Long.numberOfLeadingZeros(first ^ last));
        long iova = lg2 == 64 ? 0 : first & -1L << lg2;
        long bytes = lg2 == 64 ? -1 : 1L << lg2;
        if (root.invalidate(requester.id, pasid, iova, bytes, atsTimeoutNanos)) {
            return true;
        }
        timeouts.incrementAndGet();
        if (trace.atsTimeout.isOn()) {
            trace.atsTimeout.emit(
                    new IommuEvents.AtsTimeout(requester.address, pasid, iova, bytes));
        }
        LOG.warn(
                "{} has not completed an ATS invalidation within {} ms; it may use iova 0x{} still",
                requester.address,
                atsTimeoutNanos / 1_000_000,
                Long.toHexString(iova));
        return false;
    }

    private void release(Domain domain, Gather gather) {
        PageTable table = domain.table();
        if (table != null && gather.pages() != 0) {
            freeing.reached();
            table.release(gather);
        }
        gather.clear();
    }

    /** {@return how many ATS invalidations were not completed in time} */
    long timeouts() {
        return timeouts.get();
    }
}
