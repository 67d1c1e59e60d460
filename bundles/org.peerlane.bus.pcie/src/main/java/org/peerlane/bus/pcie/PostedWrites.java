package org.peerlane.bus.pcie;

import java.util.concurrent.locks.Condition;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;

/**
 * Register writes that peers have posted to one function. They happen in the order they came, on a
 * thread of the function's own, never on the thread of who posted them.
 *
 * <p><b>Life.</b> The thread starts with the first write. {@link #close} drops what still waits.
 *
 * <p><b>Locks.</b> One; the function's model is called without it. <b>Cost.</b> No allocation after
 * the first write.
 */
final class PostedWrites {
    private static final Logger LOG = LogManager.getLogger(PostedWrites.class);
    private static final int ENTRIES = 256;
    private static final int FIELDS = 4;

    private final Endpoint target;
    private final Fabric fabric;
    private final NamedLock lock;
    private final Condition arrived;
    private final Condition room;
    private final Condition idle;

    /** Per entry: generation, BAR and width, offset, value. Guarded by lock, as all below. */
    private long @Nullable [] ring;

    private int head;
    private int size;
    private boolean busy;
    private boolean closed;

    PostedWrites(Endpoint target, Fabric fabric) {
        this.target = target;
        this.fabric = fabric;
        lock = fabric.execution.lock("bus.posted");
        arrived = lock.newCondition("arrived");
        room = lock.newCondition("room");
        idle = lock.newCondition("idle");
    }

    /**
     * Queues a write; waits while the queue is full.
     *
     * @return false: the function has left, the write is lost
     */
    boolean post(int bar, long offset, int bytes, long value) {
        lock.lock();
        try {
            while (size == ENTRIES && !closed) {
                room.awaitUninterruptibly();
            }
            if (closed) {
                return false;
            }
            long[] entries = ring;
            if (entries == null) {
                entries = new long[ENTRIES * FIELDS];
                ring = entries;
                var _ =
                        fabric.execution.start(
                                ThreadKind.BLOCKING, target.slot() + ".posted", this::work);
            }
            int at = (head + size) % ENTRIES * FIELDS;
            entries[at] = target.generation();
            entries[at + 1] = (long) bar << 8 | bytes;
            entries[at + 2] = offset;
            entries[at + 3] = value;
            size++;
            arrived.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the writes that are queued now have happened. */
    void flush() {
        lock.lock();
        try {
            while ((size > 0 || busy) && !closed) {
                idle.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Drops what is queued and ends the thread; waits for the write it is at. */
    void close() {
        lock.lock();
        try {
            closed = true;
            size = 0;
            arrived.signalAll();
            room.signalAll();
            while (busy) {
                idle.awaitUninterruptibly();
            }
            idle.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        while (true) {
            long generation;
            int what;
            long offset;
            long value;
            lock.lock();
            try {
                busy = false;
                if (size == 0) {
                    idle.signalAll();
                }
                while (size == 0 && !closed) {
                    arrived.awaitUninterruptibly();
                }
                long[] entries = ring;
                if (closed || entries == null) {
                    idle.signalAll();
                    return;
                }
                int at = head * FIELDS;
                generation = entries[at];
                what = (int) entries[at + 1];
                offset = entries[at + 2];
                value = entries[at + 3];
                head = (head + 1) % ENTRIES;
                size--;
                busy = true;
                room.signal();
            } finally {
                lock.unlock();
            }
            arrive(generation, what, offset, value);
        }
    }

    private void arrive(long generation, int what, long offset, long value) {
        try {
            fabric.beforeArrival.reached();
            if (generation == target.generation()) {
                target.registers().arrivingWrite(what >>> 8, offset, what & 0xFF, value);
            }
        } catch (RuntimeException e) { // from an action at the checkpoint
            LOG.error("{}: a posted write was lost", target.slot(), e);
        }
    }
}
