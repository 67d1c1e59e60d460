package org.peerlane.memory.core.space;

import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * The lock of an address space's mappings: many readers (faults, pins, windows) or one writer
 * (changes). A waiting writer goes before new readers. Kernel counterpart: {@code mmap_lock}.
 *
 * <p>A reader that reads again while a writer waits would wait for ever; the callers are such that
 * nobody does. A writer that takes it again throws.
 */
final class MmapLock {
    private final NamedLock lock;
    private final Condition free;

    /** Guarded by lock, as is all below. */
    private int readers;

    private int waitingWriters;
    private @Nullable Thread writer;

    MmapLock(Execution execution) {
        lock = execution.lock("memory.mmap");
        free = lock.newCondition("free");
    }

    void lockRead() {
        lock.lock();
        try {
            refuseWriter();
            while (writer != null || waitingWriters > 0) {
                free.awaitUninterruptibly();
            }
            readers++;
        } finally {
            lock.unlock();
        }
    }

    void unlockRead() {
        lock.lock();
        try {
            readers--;
            if (readers == 0) {
                free.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    void lockWrite() {
        lock.lock();
        try {
            refuseWriter();
            waitingWriters++;
            while (writer != null || readers > 0) {
                free.awaitUninterruptibly();
            }
            waitingWriters--;
            writer = Thread.currentThread();
        } finally {
            lock.unlock();
        }
    }

    void unlockWrite() {
        lock.lock();
        try {
            writer = null;
            free.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void refuseWriter() {
        if (Thread.currentThread().equals(writer)) {
            throw new IllegalStateException(
                    "user memory is touched or mapped from a callback with the mmap lock held");
        }
    }

    /** {@return whether the calling thread may change mappings} */
    boolean isHeldForWrite() {
        lock.lock();
        try {
            return Thread.currentThread().equals(writer);
        } finally {
            lock.unlock();
        }
    }
}
