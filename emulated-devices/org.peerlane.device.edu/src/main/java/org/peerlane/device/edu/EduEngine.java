package org.peerlane.device.edu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.registers.Field;
import org.peerlane.registers.RegisterFile;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.Tracepoint;

/**
 * What an edu device does of its own: one thread that waits for the bell, then computes the
 * factorial, moves the data and signals, whichever was asked for.
 *
 * <p><b>Threads.</b> {@link #ring} and {@link #signal} any; {@link #start} and {@link #stop} the
 * bus's. <b>Locks.</b> The device's, for registers only.
 */
final class EduEngine {
    /** The buffer in the device, as its DMA engine addresses it. */
    static final long BUFFER = 0x4_0000;

    static final long BUFFER_BYTES = 4096;

    private static final long IRQ_BIT_FACTORIAL = 0x001;
    private static final long IRQ_BIT_DMA = 0x100;
    private static final Field IRQ = EduRegister.DMA_COMMAND.field("IRQ");
    private static final Field TO_RAM = EduRegister.DMA_COMMAND.field("TO_RAM");

    /** A DMA command is at its end. */
    record EduDmaDone(String slot, boolean toRam, long address, long bytes, String status)
            implements TraceEvent {}

    private final DeviceSlot slot;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final RegisterFile<EduRegister> regs;

    private final long dmaMask;
    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);
    private final Doorbell bell;
    private final Checkpoint beforeCopy;
    private final Checkpoint beforeInterrupt;
    private final Tracepoint<EduDmaDone> dmaDone;

    /** Guarded by lock: somebody wants the message sent. */
    private boolean signalAsked;

    private volatile @Nullable EmulatedThread thread;

    EduEngine(DeviceSlot slot, NamedLock lock, RegisterFile<EduRegister> regs, long dmaMask) {
        this.slot = slot;
        this.lock = lock;
        this.regs = regs;
        this.dmaMask = dmaMask;
        bell = new Doorbell(slot.execution(), "edu.bell");
        beforeCopy = slot.execution().checkpoint("edu.dma.before-copy");
        beforeInterrupt = slot.execution().checkpoint("edu.dma.before-interrupt");
        dmaDone = slot.tracer().point(EduDmaDone.class);
        start();
    }

    void ring() {
        bell.ring();
    }

    /** [held] Sends the message, from the engine's thread. */
    void signal() {
        assert lock.isHeldByCurrentThread();
        signalAsked = true;
        bell.ring();
    }

    void start() {
        thread =
                slot.execution()
                        .start(ThreadKind.BLOCKING, slot.name() + ".engine", this::runUntilStopped);
    }

    /** When it returns, the engine does nothing more. */
    void stop() {
        EmulatedThread running = thread;
        if (running == null) {
            return;
        }
        thread = null;
        running.interrupt();
        boolean interrupted = false;
        while (running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void runUntilStopped() {
        try {
            while (true) {
                bell.await();
                work();
            }
        } catch (InterruptedException e) {
            // stopped: what was asked for and not done is forgotten, as a reset does
        }
    }

    private void work() {
        boolean factorial;
        boolean dma;
        lock.lock();
        try {
            factorial = regs.get(EduRegister.STATUS, EduDevice.COMPUTING) == 1;
            dma = regs.get(EduRegister.DMA_COMMAND, EduDevice.RUN) == 1;
        } finally {
            lock.unlock();
        }
        if (factorial) {
            computeFactorial();
        }
        if (dma) {
            moveData();
        }
        sendIfAsked();
    }

    private void computeFactorial() {
        lock.lock();
        long n = regs.get(EduRegister.FACTORIAL);
        lock.unlock();
        int result = 1;
        for (long i = Math.min(n, 34); i > 1; i--) { // from 34! on the low 32 bits are 0
            result *= (int) i;
        }
        lock.lock();
        try {
            regs.set(EduRegister.FACTORIAL, result);
            regs.set(EduRegister.STATUS, EduDevice.COMPUTING, 0);
            if (regs.get(EduRegister.STATUS, EduDevice.IRQ_FACTORIAL) == 1) {
                pend(IRQ_BIT_FACTORIAL);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The registers hold still while RUN is 1, so that reading them here needs no lock. */
    private void moveData() {
        boolean toRam = regs.get(EduRegister.DMA_COMMAND, TO_RAM) == 1;
        long source = regs.get(EduRegister.DMA_SOURCE);
        long target = regs.get(EduRegister.DMA_TARGET);
        long bytes = regs.get(EduRegister.DMA_COUNT);
        long inside = (toRam ? source : target) - BUFFER;
        long address = (toRam ? target : source) & dmaMask;

        long result = DmaResult.of(DmaResult.UNSUPPORTED_REQUEST, 0);
        boolean fits =
                inside >= 0
                        && bytes >= 0
                        && inside <= BUFFER_BYTES
                        && bytes <= BUFFER_BYTES - inside;
        if (fits) {
            beforeCopy.reached();
            result =
                    toRam
                            ? slot.dma().write(address, DmaAttributes.NONE, buffer, inside, bytes)
                            : slot.dma().read(address, DmaAttributes.NONE, buffer, inside, bytes);
        }
        if (dmaDone.isOn()) {
            String status = fits ? DmaResult.describe(result) : "range outside of the buffer";
            dmaDone.emit(new EduDmaDone(slot.name(), toRam, address, bytes, status));
        }
        lock.lock();
        try {
            regs.set(EduRegister.STATUS, EduDevice.DMA_ERROR, DmaResult.isOk(result) ? 0 : 1);
            regs.set(EduRegister.DMA_COMMAND, EduDevice.RUN, 0);
            if (regs.get(EduRegister.DMA_COMMAND, IRQ) == 1) {
                pend(IRQ_BIT_DMA);
            }
        } finally {
            lock.unlock();
        }
    }

    private void pend(long bit) {
        assert lock.isHeldByCurrentThread();
        regs.set(EduRegister.IRQ_STATUS, regs.get(EduRegister.IRQ_STATUS) | bit);
        signalAsked = true;
    }

    private void sendIfAsked() {
        boolean send;
        lock.lock();
        try {
            send = signalAsked;
            signalAsked = false;
        } finally {
            lock.unlock();
        }
        if (send) {
            beforeInterrupt.reached();
            slot.interrupts().raise(0);
        }
    }
}
