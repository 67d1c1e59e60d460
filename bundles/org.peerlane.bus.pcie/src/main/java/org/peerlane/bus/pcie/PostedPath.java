package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;

/**
 * The posted writes of one function on one path: to the root complex, or to one peer. They have
 * left the function and arrive in their order, on a thread of the path's own; between two paths
 * there is no order (PC-71, PC-72).
 *
 * <p><b>Life.</b> The thread starts with the first write. {@link #close} drops what still waits.
 *
 * <p><b>Locks.</b> One leaf; a write arrives without it.
 */
final class PostedPath {
    private static final Logger LOG = LogManager.getLogger(PostedPath.class);
    private static final int ENTRIES = 64;
    private static final int FIELDS = 5;

    /** Bytes of the largest request. */
    static final int ENTRY_BYTES = 4096;

    /** What a write does when it arrives. */
    @FunctionalInterface
    interface Arrival {
        /**
         * A write arrives.
         *
         * @param life the life that it was begun in
         * @param observer who was shown that it began
         * @param token what he answered
         * @param data its bytes are here
         */
        void arrive(
                long life,
                long address,
                int attributes,
                @Nullable DmaObserver observer,
                long token,
                MemorySegment data,
                long offset,
                long bytes);
    }

    private final Execution execution;
    private final String name;
    private final Arrival arrival;
    private final NamedLock lock;
    private final Condition arrived;
    private final Condition done;

    /** Per entry: life, address, attributes, bytes, token. Guarded by lock, as all below. */
    private final long[] entries = new long[ENTRIES * FIELDS];

    private final @Nullable DmaObserver[] observers = new DmaObserver[ENTRIES];

    private @Nullable MemorySegment data;

    /** How many writes were ever posted, and how many of them have arrived. */
    private long posted;

    private long landed;
    private boolean closed;
    private boolean finishing;

    PostedPath(Execution execution, String name, Arrival arrival) {
        this.execution = execution;
        this.name = name;
        this.arrival = arrival;
        lock = execution.lock("bus.posted-path");
        arrived = lock.newCondition("posted");
        done = lock.newCondition("landed");
    }

    /** Queues a write of at most {@link #ENTRY_BYTES}; waits while the queue is full. */
    void post(
            long life,
            long address,
            int attributes,
            @Nullable DmaObserver observer,
            long token,
            MemorySegment from,
            long offset,
            long bytes) {
        lock.lock();
        try {
            while (posted - landed == ENTRIES && !closed) {
                done.awaitUninterruptibly();
            }
            if (closed || finishing) {
                return;
            }
            MemorySegment slots = data;
            if (slots == null) {
                // on the heap: a cleaner's monitor is nothing that a simulated thread may wait for
                slots = MemorySegment.ofArray(new byte[ENTRIES * ENTRY_BYTES]);
                data = slots;
                var _ = execution.start(ThreadKind.BLOCKING, name, this::work);
            }
            int slot = (int) (posted % ENTRIES);
            entries[slot * FIELDS] = life;
            entries[slot * FIELDS + 1] = address;
            entries[slot * FIELDS + 2] = attributes;
            entries[slot * FIELDS + 3] = bytes;
            entries[slot * FIELDS + 4] = token;
            observers[slot] = observer;
            MemorySegment.copy(from, offset, slots, (long) slot * ENTRY_BYTES, bytes);
            posted++;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the writes that have been posted so far have landed. */
    void flush() {
        lock.lock();
        try {
            long last = posted;
            while (landed < last && !closed) {
                done.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more writes; what is queued goes on, then the thread ends. */
    void finish() {
        lock.lock();
        try {
            finishing = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Drops what is queued and ends the thread. */
    void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
            done.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        while (true) {
            int slot;
            MemorySegment slots;
            lock.lock();
            try {
                while (posted == landed && !closed && !finishing) {
                    arrived.awaitUninterruptibly();
                }
                slots = data;
                if (closed || slots == null || posted == landed) {
                    return;
                }
                slot = (int) (landed % ENTRIES);
            } finally {
                lock.unlock();
            }
            try {
                arrival.arrive(
                        entries[slot * FIELDS],
                        entries[slot * FIELDS + 1],
                        (int) entries[slot * FIELDS + 2],
                        observers[slot],
                        entries[slot * FIELDS + 4],
                        slots,
                        (long) slot * ENTRY_BYTES,
                        entries[slot * FIELDS + 3]);
            } catch (RuntimeException e) { // from an action at a checkpoint
                LOG.error("{}: a posted write was lost", name, e);
            }
            lock.lock();
            try {
                observers[slot] = null;
                landed++;
                done.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
