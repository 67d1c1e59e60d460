package org.peerlane.exec.api;

import java.util.concurrent.locks.Condition;

/**
 * What a register write rings and an engine thread answers: many rings before the engine looks are
 * one ring, none is lost.
 *
 * <p><b>Threads.</b> {@link #ring} any; {@link #await} one engine thread. <b>Cost.</b> A ring that
 * finds the bell still rung reads one field.
 */
public final class Doorbell {
    private final NamedLock lock;
    private final Condition rang;
    private volatile boolean rung;

    /**
     * @param execution makes the lock
     * @param name for reports, such as {@code edu0.doorbell}
     */
    public Doorbell(Execution execution, String name) {
        lock = execution.lock(name);
        rang = lock.newCondition("rung");
    }

    /** Rings. What was written before is seen by the thread whose {@link #await} returns next. */
    public void ring() {
        if (rung) {
            return;
        }
        lock.lock();
        try {
            rung = true;
            rang.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until somebody has rung since the last time, and silences the bell.
     *
     * @throws InterruptedException the engine shall end
     */
    public void await() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!rung) {
                rang.await();
            }
            rung = false;
        } finally {
            lock.unlock();
        }
    }
}
