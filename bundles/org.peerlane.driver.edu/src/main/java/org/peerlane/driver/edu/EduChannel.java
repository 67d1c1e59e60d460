package org.peerlane.driver.edu;

import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One edu device that the driver has taken over: its DMA engine, one transfer at a time.
 *
 * <p><b>Life.</b> {@code OPEN -> LEAVING} or {@code OPEN -> GONE}. A device that leaves in order
 * finishes the transfer under way; of one that is gone nothing more is expected. After {@link
 * #close} nobody is in here any more.
 *
 * <p><b>Locks.</b> {@code edu.copies}: who holds it owns the engine, from {@link #begin} to {@link
 * #end}. {@code edu.channel}, a leaf: guards what the interrupt handler and close tell the owner.
 *
 * <p><b>Departure from good manners.</b> A reset behind the driver's back is found by looking: the
 * source register has lost its value.
 */
public final class EduChannel {
    /** Device address of the device's buffer. */
    static final long BUFFER = 0x40000;

    /** Length of the device's buffer: the most that a transfer moves. */
    static final int BUFFER_BYTES = 4096;

    /** Address bits of its DMA engine, as in QEMU; one configured with more does not say so. */
    static final int DMA_BITS = 28;

    private static final long PATIENCE_NANOS = 5_000_000_000L;
    private static final long LOOK_NANOS = 20_000_000L;
    private static final long QUIESCE_NANOS = 1_000_000_000L;

    private static final int COMMAND = 0x04; // of config space
    private static final long MEMORY_AND_MASTER = 0x6;

    private static final long IDENTIFICATION = 0x00;
    private static final long INTERRUPT_STATUS = 0x24;
    private static final long INTERRUPT_ACKNOWLEDGE = 0x64;
    private static final long DMA_SOURCE = 0x80;
    private static final long DMA_DESTINATION = 0x88;
    private static final long DMA_COUNT = 0x90;
    private static final long DMA_COMMAND = 0x98;
    private static final long DMA_INTERRUPT = 0x100;
    private static final long ALL = 0xFFFF_FFFFL;
    private static final long RUN = 1;
    private static final long TO_RAM = 2;
    private static final long IRQ = 4;
    private static final long ERROR = 8;

    private enum State {
        OPEN,
        LEAVING,
        GONE
    }

    private final Execution execution;
    private final PcieFunction function;
    private final DmaDevice dma;
    private final NamedLock copies;
    private final NamedLock lock;
    private final Condition news;

    /** Guarded by lock. */
    private State state = State.OPEN;

    /** The handler has run since the owner last looked; guarded by lock. */
    private boolean signalled;

    /** Guarded by copies. */
    private @Nullable AutoCloseable interrupt;

    /**
     * Takes a device over.
     *
     * @param dma its DMA addresses
     * @throws ErrnoException {@code ENODEV} it is no edu device or is gone; and as {@link
     *     PcieFunction#requestInterrupt} and {@link DmaDevice#mask(int)}
     */
    EduChannel(Execution execution, PcieFunction function, DmaDevice dma) {
        this.execution = execution;
        this.function = function;
        this.dma = dma;
        dma.mask(DMA_BITS);
        copies = execution.lock("edu.copies");
        lock = execution.lock("edu.channel");
        news = lock.newCondition("news");
        copies.lock();
        try {
            setUp();
        } finally {
            copies.unlock();
        }
    }

    PcieFunction function() {
        return function;
    }

    /** {@return the device's DMA addresses} */
    DmaDevice dma() {
        return dma;
    }

    private void setUp() {
        assert copies.isHeldByCurrentThread();
        releaseInterrupt();
        function.enable(true, true);
        try {
            long id = function.read(0, IDENTIFICATION, 4);
            if ((id & 0xFFFF) != 0xED) {
                throw new ErrnoException(
                        Errno.ENODEV,
                        "%s identifies itself as 0x%x; expected 0x....00ed"
                                .formatted(function.slot(), id));
            }
            function.write(0, INTERRUPT_ACKNOWLEDGE, 4, ALL); // of transfers that were given up
            interrupt = function.requestInterrupt(0, this::onInterrupt);
        } catch (ErrnoException e) {
            function.enable(false, false);
            throw e;
        }
    }

    private void onInterrupt() {
        lock.lock();
        try {
            signalled = true;
            news.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until the engine is free and makes it the caller's.
     *
     * @throws ErrnoException {@code ENODEV} the device leaves; {@code EINTR} the thread was
     *     interrupted
     */
    void begin() {
        try {
            copies.lockInterruptibly();
        } catch (InterruptedException e) {
            throw interruptedWhile("waiting for another copy", e);
        }
        try {
            checkOpen();
            long command = function.readConfig(COMMAND, 2);
            if ((command & MEMORY_AND_MASTER) != MEMORY_AND_MASTER) {
                setUp(); // reset, or stopped after a transfer that did not end
            }
        } catch (ErrnoException e) {
            copies.unlock();
            throw e;
        }
    }

    /** The engine is free for others. */
    void end() {
        copies.unlock();
    }

    /**
     * Moves bytes and waits until it is done. Owner only. When it fails, the device moves nothing
     * any more.
     *
     * @param source where from: a DMA address or the buffer
     * @param destination where to: the buffer or a DMA address
     * @param bytes at most {@link #BUFFER_BYTES}
     * @param toRam which of the two
     * @throws ErrnoException {@code ENODEV} the device leaves, is gone or was reset; {@code EIO} it
     *     reports an error; {@code ETIMEDOUT} no interrupt came; {@code EINTR} the thread was
     *     interrupted
     */
    void move(long source, long destination, int bytes, boolean toRam) {
        assert copies.isHeldByCurrentThread();
        checkOpen();
        function.write(0, DMA_SOURCE, 8, source);
        function.write(0, DMA_DESTINATION, 8, destination);
        function.write(0, DMA_COUNT, 8, bytes);
        function.write(0, DMA_COMMAND, 8, RUN | IRQ | (toRam ? TO_RAM : 0));
        awaitEnd(source, bytes);
        long command = function.read(0, DMA_COMMAND, 8);
        if (command == -1) {
            throw left();
        }
        if ((command & ERROR) != 0) {
            throw new ErrnoException(
                    Errno.EIO,
                    "%s reports an error for %d bytes from 0x%x to 0x%x"
                            .formatted(function.slot(), bytes, source, destination));
        }
    }

    private void awaitEnd(long source, int bytes) {
        long deadline = execution.nanoTime() + PATIENCE_NANOS;
        do {
            if (awaitNews()) {
                long pending = function.read(0, INTERRUPT_STATUS, 4);
                if (pending != ALL && (pending & DMA_INTERRUPT) != 0) {
                    function.write(0, INTERRUPT_ACKNOWLEDGE, 4, DMA_INTERRUPT);
                    return;
                }
            }
            if (function.read(0, DMA_SOURCE, 8) != source) {
                throw left();
            }
        } while (execution.nanoTime() - deadline < 0);
        quiesce();
        throw new ErrnoException(
                Errno.ETIMEDOUT,
                "%s sent no interrupt within %d s of a transfer of %d bytes"
                        .formatted(function.slot(), PATIENCE_NANOS / 1_000_000_000, bytes));
    }

    /** {@return whether the handler has run; false: nothing for a while} */
    private boolean awaitNews() {
        long left = LOOK_NANOS;
        try {
            lock.lockInterruptibly();
            try {
                while (!signalled && state != State.GONE && left > 0) {
                    left = news.awaitNanos(left);
                }
                if (state == State.GONE) {
                    throw left();
                }
                boolean came = signalled;
                signalled = false;
                return came;
            } finally {
                lock.unlock();
            }
        } catch (InterruptedException e) {
            quiesce();
            throw interruptedWhile("a transfer was under way", e);
        }
    }

    /** Sees to it that a transfer which is given up moves nothing any more. */
    private void quiesce() {
        function.enable(true, false);
        long deadline = execution.nanoTime() + QUIESCE_NANOS;
        boolean interrupted = false;
        while ((function.read(0, DMA_COMMAND, 8) & RUN) != 0
                && function.isPresent()
                && execution.nanoTime() - deadline < 0) {
            try {
                execution.sleep(LOOK_NANOS / 20);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void checkOpen() {
        lock.lock();
        try {
            if (state != State.OPEN) {
                throw left();
            }
        } finally {
            lock.unlock();
        }
    }

    private ErrnoException left() {
        return new ErrnoException(
                Errno.ENODEV,
                "%s at %s was removed or reset; the copy ends here"
                        .formatted(function.slot(), function.address()));
    }

    private ErrnoException interruptedWhile(String what, InterruptedException e) {
        Thread.currentThread().interrupt();
        return new ErrnoException(
                Errno.EINTR, "%s: interrupted while %s".formatted(function.slot(), what), e);
    }

    /**
     * Gives the device back, once whoever is in here has left.
     *
     * @param gone it is not there any more
     */
    void close(boolean gone) {
        lock.lock();
        try {
            state = gone ? State.GONE : State.LEAVING;
            news.signalAll();
        } finally {
            lock.unlock();
        }
        copies.lock();
        try {
            releaseInterrupt();
            if (!gone) {
                function.enable(false, false);
            }
        } finally {
            copies.unlock();
        }
    }

    private void releaseInterrupt() {
        AutoCloseable held = interrupt;
        interrupt = null;
        if (held == null) {
            return;
        }
        try {
            held.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(function.slot() + ": interrupt not given back", e);
        }
    }
}
