package org.peerlane.iommu.core;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;

/** Flushes every queue 10 ms after something came into one. */
final class LazyFlusher {
    private static final Logger LOG = LogManager.getLogger(LazyFlusher.class);
    private static final long DELAY_NANOS = 10_000_000;

    private final Execution execution;
    private final Doorbell doorbell;
    private final List<FlushQueue> queues = new CopyOnWriteArrayList<>();
    private final EmulatedThread thread;

    LazyFlusher(Execution execution) {
        this.execution = execution;
        doorbell = new Doorbell(execution, "iommu.lazy");
        thread = execution.start(ThreadKind.BLOCKING, "iommu.lazy", this::run);
    }

    FlushQueue newQueue(Domain domain, IovaAllocator iovas) {
        FlushQueue queue = new FlushQueue(execution, domain, iovas, doorbell);
        queues.add(queue);
        return queue;
    }

    private void run() {
        try {
            while (true) {
                doorbell.await();
                execution.sleep(DELAY_NANOS);
                queues.forEach(FlushQueue::flush);
            }
        } catch (InterruptedException e) {
            LOG.debug("lazy flushes end");
        }
    }

    /** Ends it, and flushes what waits. */
    void close() throws InterruptedException {
        thread.interrupt();
        thread.join();
        queues.forEach(FlushQueue::flush);
    }
}
