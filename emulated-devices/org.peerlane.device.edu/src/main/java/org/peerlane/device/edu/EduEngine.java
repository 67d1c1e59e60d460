package org.peerlane.device.edu;

import static org.peerlane.device.edu.EduRegister.COMPUTING;
import static org.peerlane.device.edu.EduRegister.DMA_COMMAND;
import static org.peerlane.device.edu.EduRegister.DMA_COUNT;
import static org.peerlane.device.edu.EduRegister.DMA_DESTINATION;
import static org.peerlane.device.edu.EduRegister.DMA_SOURCE;
import static org.peerlane.device.edu.EduRegister.ERROR;
import static org.peerlane.device.edu.EduRegister.FACTORIAL;
import static org.peerlane.device.edu.EduRegister.INTERRUPT_STATUS;
import static org.peerlane.device.edu.EduRegister.IRQ;
import static org.peerlane.device.edu.EduRegister.IRQFACT;
import static org.peerlane.device.edu.EduRegister.RUN;
import static org.peerlane.device.edu.EduRegister.STATUS;
import static org.peerlane.device.edu.EduRegister.TO_RAM;

import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.registers.RegisterFile;

/**
 * The working side of an edu device: one thread that sleeps until a register write rings, then
 * sends interrupts, computes factorials and moves data, in this order, until nothing is left to do.
 *
 * <p><b>Locks.</b> The device's lock guards registers, {@code message}, {@code epoch} and {@code
 * wipe}. It is let go for every slow or outward step; {@code epoch} then says whether a reset came
 * in between, after which the result of the step is nobody's any more.
 *
 * <p><b>Checkpoints.</b> edu.factorial.before-result, edu.dma.before-copy (in {@link EduTransfer}),
 * edu.dma.before-interrupt, edu.interrupt.before-message.
 */
final class EduEngine implements AutoCloseable {
    private static final int FACTORIAL_INTERRUPT = 0x001;
    private static final int DMA_INTERRUPT = 0x100;

    private final String name;
    private final Execution execution;
    private final NamedLock lock;
    private final Condition bell;
    private final RegisterFile<EduRegister> registers;
    private final EduTransfer transfer;
    private final InterruptPort interrupts;
    private final Checkpoint beforeResult;
    private final Checkpoint beforeDmaInterrupt;
    private final Checkpoint beforeMessage;

    /** A message is to be sent. */
    private boolean message;

    /** The buffer holds data of before the last reset. */
    private boolean wipe;

    /** Resets so far. */
    private long epoch;

    private boolean closing;
    private @Nullable EmulatedThread thread;

    EduEngine(
            DeviceSlot slot,
            NamedLock lock,
            RegisterFile<EduRegister> registers,
            EduTransfer transfer) {
        this.lock = lock;
        this.registers = registers;
        this.transfer = transfer;
        name = slot.name() + ".engine";
        execution = slot.execution();
        interrupts = slot.interrupts();
        bell = lock.newCondition("rung");
        beforeResult = execution.checkpoint("edu.factorial.before-result");
        beforeDmaInterrupt = execution.checkpoint("edu.dma.before-interrupt");
        beforeMessage = execution.checkpoint("edu.interrupt.before-message");
    }

    void start() {
        thread = execution.start(ThreadKind.BLOCKING, name, this::run);
    }

    /** [held] There is work in the registers. */
    void ring() {
        assert lock.isHeldByCurrentThread();
        bell.signal();
    }

    /** [held] Raises interrupts; one message says that there are some. */
    void interrupt(long bits) {
        assert lock.isHeldByCurrentThread();
        long pending = registers.get(INTERRUPT_STATUS) | bits;
        registers.set(INTERRUPT_STATUS, pending);
        message |= pending != 0;
        bell.signal();
    }

    /** [held] A reset: what is under way has never been asked for. */
    void forget() {
        assert lock.isHeldByCurrentThread();
        epoch++;
        message = false;
        wipe = true;
        bell.signal();
    }

    private void run() {
        lock.lock();
        try {
            while (!closing) {
                if (wipe) {
                    wipe = false;
                    transfer.wipe();
                } else if (message) {
                    message = false;
                    send();
                } else if (registers.get(STATUS, COMPUTING) == 1) {
                    compute();
                } else if (registers.get(DMA_COMMAND, RUN) == 1) {
                    move();
                } else {
                    bell.await();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the execution ends its threads
        } finally {
            lock.unlock();
        }
    }

    private void send() {
        lock.unlock();
        try {
            beforeMessage.reached();
            interrupts.raise(0); // a refusal is the guest's: it has not enabled messages
        } finally {
            lock.lock();
        }
    }

    private void compute() {
        long asked = epoch;
        long operand = registers.get(FACTORIAL);
        long result;
        lock.unlock();
        try {
            result = factorial(operand);
            beforeResult.reached();
        } finally {
            lock.lock();
        }
        if (epoch != asked) {
            return;
        }
        registers.set(FACTORIAL, result);
        registers.set(STATUS, COMPUTING, 0);
        if (registers.get(STATUS, IRQFACT) == 1) {
            interrupt(FACTORIAL_INTERRUPT);
        }
    }

    /** {@return n! modulo 2^32} From 34! on it is 0, so the loop is short for any operand. */
    private static long factorial(long operand) {
        int result = 1;
        for (long n = operand; n > 0 && result != 0; n--) {
            result *= (int) n;
        }
        return result & 0xFFFF_FFFFL;
    }

    private void move() {
        long asked = epoch;
        boolean toRam = registers.get(DMA_COMMAND, TO_RAM) == 1;
        long source = registers.get(DMA_SOURCE);
        long destination = registers.get(DMA_DESTINATION);
        long bytes = registers.get(DMA_COUNT);
        boolean moved;
        lock.unlock();
        try {
            moved = transfer.run(toRam, source, destination, bytes);
            beforeDmaInterrupt.reached();
        } finally {
            lock.lock();
        }
        if (epoch != asked) {
            return; // the reset has asked for a wipe
        }
        registers.set(DMA_COMMAND, RUN, 0);
        registers.set(DMA_COMMAND, ERROR, moved ? 0 : 1);
        if (registers.get(DMA_COMMAND, IRQ) == 1) {
            interrupt(DMA_INTERRUPT);
        }
    }

    /** {@return transfers that did not move all of their bytes} */
    long failedTransfers() {
        return transfer.failures();
    }

    /** Ends the thread and waits for it. */
    @Override
    public void close() {
        EmulatedThread running;
        lock.lock();
        try {
            running = thread;
            closing = true;
            bell.signal();
        } finally {
            lock.unlock();
        }
        if (running != null) {
            running.joinUninterruptibly(); // the buffer may go only when nobody uses it
        }
        transfer.close();
    }
}
