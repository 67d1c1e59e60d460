package org.peerlane.iommu.core;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.iommu.api.FaultListener;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.kernel.api.Iova;

/**
 * Fault records: a bounded number of hardware slots, and the interrupt handler that empties them
 * (IM-5 to IM-7). When a slot is missing the overflow bit is set, and everything is dropped until
 * the handler has cleared it.
 *
 * <pre>
 *  first   | page of the address 63:12 | write 0 |
 *  second  | reason 63:56 | PASID + 1 52:32 | requester 31:0 |
 * </pre>
 *
 * <p><b>Threads.</b> {@link #record}: any, inside a transaction. Listeners are called on a thread
 * of its own.
 */
final class Faults {
    private static final Logger LOG = LogManager.getLogger(Faults.class);
    private static final int LOG_ENTRIES = 256;

    private final ContextTable contexts;
    private final IommuTrace trace;
    private final PairRing ring;
    private final Doorbell doorbell;
    private final Checkpoint handling;
    private final AtomicLong lost = new AtomicLong();
    private volatile boolean overflow;

    private final NamedLock lock;
    private final ArrayDeque<FaultRecord> log = new ArrayDeque<>(); // guarded by lock
    private final EmulatedThread thread;

    Faults(Execution execution, ContextTable contexts, IommuTrace trace, int slots) {
        this.contexts = contexts;
        this.trace = trace;
        ring = new PairRing(slots);
        doorbell = new Doorbell(execution, "iommu.faults");
        handling = execution.checkpoint("iommu.faults.handling");
        lock = execution.lock("iommu.fault-log");
        thread = execution.start(ThreadKind.BLOCKING, "iommu.faults", this::run);
    }

    /** Records a blocked request. Never blocks for long, never calls anybody but trace sinks. */
    void record(int requester, int attributes, long address, boolean write, int reason) {
        int pasid = DmaAttributes.pasid(attributes);
        if (trace.fault.isOn()) {
            trace.fault.emit(
                    new IommuEvents.IommuFault(
                            IommuTrace.address(requester),
                            pasid,
                            address,
                            write,
                            FaultReason.of(reason)));
        }
        long second = (long) reason << 56 | (long) (pasid + 1) << 32 | requester & 0xFFFF_FFFFL;
        if (overflow || !ring.offer(address & -4096L | (write ? 1 : 0), second)) {
            lost.incrementAndGet();
            if (!overflow && trace.overflow.isOn()) {
                trace.overflow.emit(
                        new IommuEvents.FaultsOverflowed(IommuTrace.address(requester)));
            }
            overflow = true;
        }
        doorbell.ring();
    }

    private void run() {
        try {
            while (true) {
                doorbell.await();
                handling.reached();
                handle();
            }
        } catch (InterruptedException e) {
            LOG.debug("fault handler ends");
        }
    }

    private void handle() {
        while (ring.isReady()) {
            long first = ring.first();
            long second = ring.second();
            ring.advance();
            int requester = (int) second;
            FaultRecord fault =
                    new FaultRecord(
                            IommuTrace.address(requester),
                            (int) (second >>> 32 & 0x1F_FFFF) - 1,
                            new Iova(first & -4096L),
                            (first & 1) != 0,
                            FaultReason.of((int) (second >>> 56)));
            remember(fault);
            tell(requester, fault);
        }
        overflow = false;
    }

    private void remember(FaultRecord fault) {
        lock.lock();
        try {
            if (log.size() == LOG_ENTRIES) {
                log.removeFirst();
            }
            log.addLast(fault);
        } finally {
            lock.unlock();
        }
    }

    private void tell(int requester, FaultRecord fault) {
        Context context = contexts.find(requester);
        if (context == null) {
            return;
        }
        Domain domain = fault.pasid() < 0 ? context.untagged : context.tagged(fault.pasid());
        @Nullable FaultListener listener = domain == null ? null : domain.faultListener();
        if (listener == null) {
            return;
        }
        try {
            listener.fault(fault);
        } catch (RuntimeException e) {
            LOG.error("{} did not take {}", listener, fault, e);
        }
    }

    /** {@return the last faults, oldest first} */
    List<FaultRecord> recent() {
        lock.lock();
        try {
            return List.copyOf(log);
        } finally {
            lock.unlock();
        }
    }

    /** Forgets both. */
    void clear() {
        lock.lock();
        try {
            log.clear();
            lost.set(0);
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many were dropped} */
    long lost() {
        return lost.get();
    }

    /** {@return whether the overflow bit is set} */
    boolean overflow() {
        return overflow;
    }

    /** Ends the handler. */
    void close() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }
}
