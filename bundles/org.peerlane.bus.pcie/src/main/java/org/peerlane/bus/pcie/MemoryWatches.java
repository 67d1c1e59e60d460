package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.MemoryWatcher;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Who reaches memory behind BARs without the bus, and what they have been told. Whoever changes the
 * tree publishes it and then calls {@link #changed}; when that returns, nobody reaches what does
 * not decode any more.
 *
 * <p><b>Locks.</b> {@code bus.watches}, held while a watcher is told; any other lock of the bus may
 * be held outside of it.
 */
final class MemoryWatches {
    private static final Logger LOG = LogManager.getLogger(MemoryWatches.class);

    private final Router router;
    private final NamedLock lock;
    private final CopyOnWriteArrayList<Watch> watches = new CopyOnWriteArrayList<>();

    private static final class Watch {
        final MemoryWatcher watcher;
        final long first;
        final long last;

        /** Guarded by lock. */
        @Nullable MemorySegment told;

        Watch(MemoryWatcher watcher, AddressRange<PhysicalAddress> range) {
            this.watcher = watcher;
            first = range.first().value();
            last = range.last().value();
        }
    }

    MemoryWatches(Execution execution, Router router) {
        this.router = router;
        lock = execution.lock("bus.watches");
    }

    void add(AddressRange<PhysicalAddress> range, MemoryWatcher watcher) {
        Watch watch = new Watch(watcher, range);
        watches.add(watch); // before the look: a change that comes now finds it
        lock.lock();
        try {
            tell(watch);
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("ReferenceEquality") // the watcher itself, whatever it is equal to
    void remove(MemoryWatcher watcher) {
        lock.lock();
        try {
            watches.removeIf(watch -> watch.watcher == watcher);
        } finally {
            lock.unlock();
        }
    }

    /** Routes may be others than before. */
    void changed() {
        if (watches.isEmpty()) {
            return;
        }
        lock.lock();
        try {
            watches.forEach(this::tell);
        } finally {
            lock.unlock();
        }
    }

    private void tell(Watch watch) {
        assert lock.isHeldByCurrentThread();
        MemorySegment now = memory(watch.first, watch.last);
        if (Objects.equals(now, watch.told)) {
            return;
        }
        watch.told = now;
        try {
            watch.watcher.reaches(now);
        } catch (RuntimeException | Error e) {
            LOG.error("what is behind 0x{} was told, and failed", Long.toHexString(watch.first), e);
        }
    }

    /** {@return the bytes of a BAR that the CPU reaches at all of these addresses, or null} */
    private @Nullable MemorySegment memory(long first, long last) {
        Route route = router.fromRoot(null, first);
        MemorySegment segment = route.segment();
        if (route.function() == null || segment == null || !route.covers(last)) {
            return null;
        }
        return segment.asSlice(first - route.base(), last - first + 1);
    }
}
