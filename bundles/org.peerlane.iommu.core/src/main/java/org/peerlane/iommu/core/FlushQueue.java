package org.peerlane.iommu.core;

import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.core.table.Gather;

/**
 * Unmapped IOVAs of one domain that wait for a flush: in lazy mode. Until it has come, devices may
 * reach the old memory, and the addresses are not given out again. Kernel counterpart: {@code
 * struct iova_fq}.
 *
 * <p><b>Locks.</b> One, not held during the flush. <b>Threads.</b> Any, never from inside a
 * transaction: who fills the queue flushes it.
 */
final class FlushQueue {
    static final int ENTRIES = 256;

    private final Domain domain;
    private final IovaAllocator iovas;
    private final Doorbell timer;
    private final NamedLock lock;
    private Batch filling = new Batch(); // guarded by lock
    private @Nullable Batch spare; // guarded by lock

    /**
     * @param timer rung when there is something to flush
     */
    FlushQueue(Execution execution, Domain domain, IovaAllocator iovas, Doorbell timer) {
        this.domain = domain;
        this.iovas = iovas;
        this.timer = timer;
        lock = execution.lock("iommu.flush-queue");
    }

    /** Takes over an unmapped range and the table pages of {@code gather}, and empties that. */
    void add(long iova, long bytes, Gather gather) {
        Batch full = null;
        boolean first;
        lock.lock();
        try {
            first = filling.count == 0;
            filling.add(iova, bytes, gather);
            if (filling.count == ENTRIES) {
                full = swap();
            }
        } finally {
            lock.unlock();
        }
        gather.clear();
        if (full != null) {
            flush(full);
        } else if (first) {
            timer.ring();
        }
    }

    /** Flushes what waits now. */
    void flush() {
        Batch batch;
        lock.lock();
        try {
            if (filling.count == 0) {
                return;
            }
            batch = swap();
        } finally {
            lock.unlock();
        }
        flush(batch);
    }

    private Batch swap() {
        Batch full = filling;
        filling = spare == null ? new Batch() : spare;
        spare = null;
        return full;
    }

    private void flush(Batch batch) {
        domain.flushAll(batch.pages); // a time-out has been reported
        for (int i = 0; i < batch.count; i++) {
            iovas.free(batch.iova[i], batch.bytes[i]);
        }
        batch.count = 0;
        lock.lock();
        try {
            spare = batch;
        } finally {
            lock.unlock();
        }
    }

    /** What one flush covers. */
    private static final class Batch {
        private final long[] iova = new long[ENTRIES];
        private final long[] bytes = new long[ENTRIES];
        private final Gather pages = new Gather();
        private int count;

        void add(long at, long length, Gather gather) {
            iova[count] = at;
            bytes[count++] = length;
            for (int i = 0; i < gather.pages(); i++) {
                pages.addPage(gather.page(i));
            }
        }
    }
}
