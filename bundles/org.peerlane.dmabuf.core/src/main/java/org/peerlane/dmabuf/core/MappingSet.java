package org.peerlane.dmabuf.core;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.exec.api.NamedLock;

/**
 * The mappings of a buffer that have not been taken back: what a revoke waits for (RK-3).
 *
 * <p><b>Locks.</b> The buffer's list lock. <b>Threads.</b> Any.
 */
final class MappingSet {
    private final NamedLock lock;

    /** Guarded by lock, oldest first. */
    private final Set<BufferMapping> mappings = new LinkedHashSet<>(0);

    /** Made by who waits first. Guarded by lock. */
    private @Nullable Condition unmapped;

    MappingSet(NamedLock lock) {
        this.lock = lock;
    }

    void add(BufferMapping mapping) {
        lock.lock();
        try {
            mappings.add(mapping);
            mapping.epoch().join();
            mapping.attachment().mappingCount().incrementAndGet();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether it was there} */
    boolean remove(BufferMapping mapping) {
        List<Fence> fences;
        lock.lock();
        try {
            if (!mappings.remove(mapping)) {
                return false;
            }
            fences = mapping.epoch().leave();
            mapping.attachment().mappingCount().decrementAndGet();
            Condition waited = unmapped;
            if (mappings.isEmpty() && waited != null) {
                waited.signalAll();
            }
        } finally {
            lock.unlock();
        }
        fences.forEach(Fence::put);
        return true;
    }

    boolean contains(BufferMapping mapping) {
        lock.lock();
        try {
            return mappings.contains(mapping);
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return mappings.size();
        } finally {
            lock.unlock();
        }
    }

    /** {@return those of an attachment, oldest first} */
    List<BufferMapping> of(BufferAttachment attachment) {
        if (attachment.mappingCount().get() == 0) {
            return List.of();
        }
        List<BufferMapping> own = new ArrayList<>();
        for (BufferMapping mapping : all()) {
            if (mapping.attachment().equals(attachment)) {
                own.add(mapping);
            }
        }
        return own;
    }

    /** {@return all, oldest first} */
    List<BufferMapping> all() {
        lock.lock();
        try {
            return new ArrayList<>(mappings);
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty(Epoch epoch) {
        lock.lock();
        try {
            return epoch.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until there is none, without limit and whatever interrupts.
     *
     * @param patienceNanos after this time, once,
     * @param late is shown those that are left
     */
    void awaitEmpty(long patienceNanos, Consumer<List<BufferMapping>> late) {
        boolean interrupted = false;
        boolean shown = false;
        long left = patienceNanos;
        lock.lock();
        try {
            while (!mappings.isEmpty()) {
                Condition empty = unmapped();
                if (shown) {
                    empty.awaitUninterruptibly();
                    continue;
                }
                try {
                    left = empty.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                if (left <= 0 && !mappings.isEmpty()) {
                    shown = true;
                    List<BufferMapping> those = new ArrayList<>(mappings);
                    lock.unlock();
                    try {
                        late.accept(those);
                    } finally {
                        lock.lock();
                    }
                }
            }
        } finally {
            lock.unlock();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * {@return whether there is none by then}
     *
     * @param deadline by the execution's clock
     */
    boolean awaitEmpty(long deadline, LongSupplier clock) {
        boolean interrupted = false;
        lock.lock();
        try {
            while (!mappings.isEmpty()) {
                long left = deadline - clock.getAsLong();
                if (left <= 0) {
                    return false;
                }
                try {
                    unmapped().awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            return true;
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Condition unmapped() {
        assert lock.isHeldByCurrentThread();
        Condition made = unmapped;
        if (made == null) {
            made = lock.newCondition("unmapped");
            unmapped = made;
        }
        return made;
    }
}
