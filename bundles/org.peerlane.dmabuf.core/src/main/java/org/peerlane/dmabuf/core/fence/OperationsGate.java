package org.peerlane.dmabuf.core.fence;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.Condition;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Who is inside the code of one owner: its {@code FenceOperations}, or its callbacks of buffers and
 * attachments. So a departure can wait until nobody is, and nobody enters afterwards.
 *
 * <p><b>Life.</b> Open, then closed for good.
 *
 * <p><b>Protocol.</b> A caller counts itself and then looks whether it is closed; the closer closes
 * and then looks at the counts. So either the caller sees it closed, and counts itself out again,
 * or the closer sees the count. The counts lie apart, by thread, so that callers on several
 * processors do not meet.
 *
 * <p><b>Threads.</b> Any. A thread may enter while it is inside.
 */
public final class OperationsGate {
    private static final int STRIPES = 8; // a power of two
    private static final int APART = 16; // counters in a cache line

    private final AtomicIntegerArray inside = new AtomicIntegerArray(STRIPES * APART);
    private final Execution execution;
    private final NamedLock lock;

    /** Of lock: somebody has left after the gate was closed. */
    private final Condition left;

    private volatile boolean closed;

    /** An open one. */
    public OperationsGate(Execution execution) {
        this.execution = execution;
        lock = execution.lock("dmabuf.fence.operations");
        left = lock.newCondition("left");
    }

    private static int stripe() {
        return ((int) Thread.currentThread().threadId() & (STRIPES - 1)) * APART;
    }

    /** {@return whether nobody enters any more} */
    public boolean isClosed() {
        return closed;
    }

    /** {@return whether the operations may be called; then {@link #leave} follows} */
    public boolean enter() {
        inside.getAndIncrement(stripe());
        if (closed) {
            leave();
            return false;
        }
        return true;
    }

    /** After {@link #enter}. */
    public void leave() {
        inside.getAndDecrement(stripe());
        if (closed) {
            lock.lock();
            try {
                left.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Nobody enters from now on. */
    public void close() {
        closed = true;
    }

    /**
     * {@return whether everybody has left in time}
     *
     * @param nanos how long to wait
     */
    public boolean awaitEmpty(long nanos) throws InterruptedException {
        long deadline = execution.nanoTime() + nanos;
        lock.lockInterruptibly();
        try {
            while (!isEmpty()) {
                long more = deadline - execution.nanoTime();
                if (more <= 0) {
                    return false;
                }
                left.awaitNanos(more);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private boolean isEmpty() {
        for (int i = 0; i < STRIPES; i++) {
            if (inside.get(i * APART) != 0) {
                return false;
            }
        }
        return true;
    }
}
