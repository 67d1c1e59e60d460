package org.peerlane.driver.edu;

import java.util.concurrent.locks.Condition;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One edu function at work.
 *
 * <p><b>Life.</b> From probe to {@link #close}; a transfer that is under way then ends with ENODEV.
 *
 * <p><b>Locks.</b> {@code edu.copy} is held by whoever moves something, so that copies take turns;
 * {@code edu.channel} guards the state that the interrupt handler shares.
 */
final class EduChannel implements AutoCloseable {
    /** What one transfer moves at the most: the device's buffer. */
    static final int PIECE_BYTES = 4096;

    private static final int BAR = 0;
    private static final int STATUS = 0x20;
    private static final int IRQ_STATUS = 0x24;
    private static final int IRQ_ACK = 0x64;
    private static final int DMA_SOURCE = 0x80;
    private static final int DMA_TARGET = 0x88;
    private static final int DMA_COUNT = 0x90;
    private static final int DMA_COMMAND = 0x98;
    private static final long RUN = 1;
    private static final long TO_RAM = 2;
    private static final long IRQ = 4;
    private static final long DMA_ERROR = 0x100;
    private static final long ALL_ONES = 0xFFFF_FFFFL;
    private static final long BUFFER = 0x4_0000;
    private static final long LIMIT_NANOS = 5_000_000_000L;

    private final PcieFunction function;
    private final NamedLock copying;
    private final NamedLock lock;
    private final Condition changed;
    private final Execution execution;

    /** Guarded by lock. */
    private boolean done;

    /** Guarded by lock. */
    private boolean closed;

    private final AutoCloseable interrupt;

    EduChannel(Execution execution, PcieFunction function) {
        this.execution = execution;
        this.function = function;
        copying = execution.lock("edu.copy");
        lock = execution.lock("edu.channel");
        changed = lock.newCondition("done");
        function.enable(true, true);
        interrupt = function.requestInterrupt(0, this::interrupted);
    }

    PcieFunction function() {
        return function;
    }

    /** {@return held by whoever moves something} */
    NamedLock copying() {
        return copying;
    }

    /** The handler: acknowledges, and wakes who waits. */
    private void interrupted() {
        long pending = function.read(BAR, IRQ_STATUS, 4);
        if (pending == ALL_ONES) {
            return; // the function has left
        }
        function.write(BAR, IRQ_ACK, 4, pending);
        lock.lock();
        try {
            done = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Moves up to 4 KiB from one place in RAM to another, by way of the device. */
    void move(long source, long target, int bytes) {
        transfer(source, BUFFER, bytes, RUN | IRQ);
        transfer(BUFFER, target, bytes, RUN | IRQ | TO_RAM);
    }

    private void transfer(long source, long target, int bytes, long command) {
        assert copying.isHeldByCurrentThread();
        lock.lock();
        try {
            done = false;
        } finally {
            lock.unlock();
        }
        function.write(BAR, DMA_SOURCE, 8, source);
        function.write(BAR, DMA_TARGET, 8, target);
        function.write(BAR, DMA_COUNT, 8, bytes);
        function.write(BAR, DMA_COMMAND, 8, command);
        awaitDone();
        long status = function.read(BAR, STATUS, 4);
        if (status == ALL_ONES) {
            throw gone();
        }
        if ((status & DMA_ERROR) != 0) {
            throw new ErrnoException(
                    Errno.EIO,
                    "%s could not move %d bytes from 0x%x to 0x%x"
                            .formatted(function.slot(), bytes, source, target));
        }
    }

    private void awaitDone() {
        long end = execution.nanoTime() + LIMIT_NANOS;
        lock.lock();
        try {
            while (!done) {
                if (closed) {
                    throw gone();
                }
                long left = end - execution.nanoTime();
                if (left <= 0) {
                    throw new ErrnoException(
                            Errno.ETIMEDOUT,
                            "%s sent no interrupt within 5 s".formatted(function.slot()));
                }
                changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "the copy was interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    private ErrnoException gone() {
        return new ErrnoException(
                Errno.ENODEV,
                "%s at %s has left the bus".formatted(function.slot(), function.address()));
    }

    /** Ends what is under way, waits for its end, and takes the interrupt back. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        copying.lock();
        copying.unlock();
        function.enable(false, false);
        try {
            interrupt.close();
        } catch (Exception e) {
            throw new IllegalStateException("interrupt of " + function.slot(), e);
        }
    }

    /**
     * @throws ErrnoException {@code ENODEV} the channel is closed
     */
    void checkOpen() {
        lock.lock();
        try {
            if (closed) {
                throw gone();
            }
        } finally {
            lock.unlock();
        }
    }
}
