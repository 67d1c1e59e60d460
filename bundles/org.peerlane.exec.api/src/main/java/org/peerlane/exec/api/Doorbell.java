package org.peerlane.exec.api;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;

/**
 * Wakes an engine thread: MMIO handlers ring, the engine waits.
 *
 * <p><b>Life.</b> Quiet or rung. Rings do not count: any number of them before the engine wakes is
 * one, so the engine looks at all its queues when it wakes.
 *
 * <p><b>Threads.</b> Any may ring, with any lock held; the doorbell's own lock is a leaf.
 *
 * <p><b>Ordering.</b> What a thread wrote before its ring, the engine sees after the wake that
 * takes it, the cheap ring included: ring and wake are read-modify-writes of one flag.
 *
 * <p><b>Cost.</b> Ringing one that is rung already: one atomic exchange, no lock. No allocation.
 */
public final class Doorbell {
    private final AtomicBoolean rung = new AtomicBoolean();
    private final NamedLock lock; // guards the wait only; the flag is atomic
    private final Condition ring;

    /**
     * Makes a quiet one.
     *
     * @param execution whose threads will wait
     * @param name for reports, such as {@code edu.doorbell}
     */
    public Doorbell(Execution execution, String name) {
        lock = execution.lock(name);
        ring = lock.newCondition("rung");
    }

    /** Wakes the engine, now or when it waits next. Never blocks for long, never fails. */
    public void ring() {
        if (rung.getAndSet(true)) {
            return;
        }
        lock.lock();
        try {
            ring.signal();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether it was rung; it is quiet afterwards} For engines that poll. */
    public boolean poll() {
        return rung.get() && rung.getAndSet(false);
    }

    /**
     * Waits until it is rung, and makes it quiet.
     *
     * @throws InterruptedException the thread was interrupted before or meanwhile; a ring that came
     *     too is kept for the next wait
     */
    public void await() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!poll()) {
                ring.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until it is rung, for a limited time, and makes it quiet.
     *
     * @param nanos the limit; 0 or less does not wait
     * @return whether it was rung
     * @throws InterruptedException as for {@link #await()}
     */
    public boolean await(long nanos) throws InterruptedException {
        long left = nanos;
        lock.lockInterruptibly();
        try {
            while (!poll()) {
                if (left <= 0) {
                    return false;
                }
                left = ring.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
