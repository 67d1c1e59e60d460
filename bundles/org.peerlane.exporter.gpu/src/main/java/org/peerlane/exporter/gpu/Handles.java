package org.peerlane.exporter.gpu;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The buffers that are open on a card, by handle.
 *
 * <p><b>Locks.</b> {@code gpu.handles}, a leaf, guards all of it. <b>Threads.</b> Any.
 */
final class Handles {
    private final String card;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Map<Long, CardBuffer> open = new TreeMap<>();

    /** Guarded by lock. */
    private long last;

    /** Guarded by lock. */
    private boolean closed;

    Handles(Execution execution, String card) {
        this.card = card;
        lock = execution.lock("gpu.handles");
    }

    /** {@return a handle that no other buffer of the card has or had} */
    long next() {
        lock.lock();
        try {
            return ++last;
        } finally {
            lock.unlock();
        }
    }

    /**
     * A handle counts from now on.
     *
     * @throws ErrnoException {@code ENODEV} the card leaves
     */
    void add(CardBuffer buffer) {
        lock.lock();
        try {
            checkOpen();
            open.put(buffer.handle(), buffer);
        } finally {
            lock.unlock();
        }
    }

    void remove(CardBuffer buffer) {
        lock.lock();
        try {
            open.remove(buffer.handle(), buffer);
        } finally {
            lock.unlock();
        }
    }

    /** {@return the buffers, by handle; a copy} */
    List<GpuBuffer> all() {
        lock.lock();
        try {
            return List.copyOf(open.values());
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@return the buffer of a handle}
     *
     * @throws ErrnoException {@code ENOENT} there is none
     */
    CardBuffer get(long handle) {
        lock.lock();
        try {
            CardBuffer found = open.get(handle);
            if (found == null) {
                throw new ErrnoException(
                        Errno.ENOENT, "%s has no buffer %d".formatted(card, handle));
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses everything once the card leaves.
     *
     * @throws ErrnoException {@code ENODEV}
     */
    void requireOpen() {
        lock.lock();
        try {
            checkOpen();
        } finally {
            lock.unlock();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new ErrnoException(Errno.ENODEV, card + " leaves");
        }
    }

    /** The card leaves. {@return what was open} */
    List<CardBuffer> close() {
        lock.lock();
        try {
            closed = true;
            return List.copyOf(open.values());
        } finally {
            lock.unlock();
        }
    }
}
