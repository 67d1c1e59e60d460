package org.peerlane.device.gpu;

import static org.peerlane.device.gpu.GpuRegister.BUSY;
import static org.peerlane.device.gpu.GpuRegister.CONTROL;
import static org.peerlane.device.gpu.GpuRegister.PACKETS;
import static org.peerlane.device.gpu.GpuRegister.RESET;
import static org.peerlane.device.gpu.GpuRegister.RING_HEAD;
import static org.peerlane.device.gpu.GpuRegister.RING_TAIL;
import static org.peerlane.device.gpu.GpuRegister.RUN;
import static org.peerlane.device.gpu.GpuRegister.STATUS;
import static org.peerlane.device.gpu.GpuRegister.WRITE_BACK;
import static org.peerlane.device.gpu.GpuRegister.WRITE_BACK_ENABLE;
import static org.peerlane.device.gpu.GpuRegister.WRITE_BACK_IN_VRAM;

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
 * The working side of a GPU: one thread that sleeps until a register write rings, then wipes the
 * VRAM, drops translations and runs packets, in this order, until nothing is left to do.
 *
 * <p><b>Locks.</b> {@code gpu.device} guards registers and the flags here. It is let go for every
 * slow or outward step, which is made in {@link Steps}; what comes back from a life that is over is
 * dropped.
 *
 * <p><b>Order.</b> A packet's effects, RING_HEAD, WRITE_BACK if what was fetched is used up, the
 * packet's interrupt.
 *
 * <p><b>Checkpoints.</b> gpu.reset.before-wipe, gpu.write-back.before-write,
 * gpu.interrupt.before-message, and those of {@link CommandRing} and {@link Mover}.
 */
final class GpuEngine implements AutoCloseable {
    private final String name;
    private final Execution execution;
    private final NamedLock lock;
    private final Condition bell;
    private final RegisterFile<GpuRegister> registers;
    private final Steps steps;
    private final Vram vram;
    private final Trouble trouble = new Trouble();
    private final GpuMmu mmu;
    private final Mover mover;
    private final CommandRing ring;
    private final PacketRunner runner;
    private final TroubleReport report;
    private final InterruptPort interrupts;
    private final Checkpoint beforeWipe;
    private final Checkpoint beforeWriteBack;
    private final Checkpoint beforeMessage;

    /** RUN has become 1: the registers of ring and MMU are to be read. */
    private boolean restart;

    /** The VRAM holds data of before a reset by CONTROL. */
    private boolean wipe;

    private boolean closing;
    private @Nullable EmulatedThread thread;

    GpuEngine(
            DeviceSlot slot,
            NamedLock lock,
            RegisterFile<GpuRegister> registers,
            Steps steps,
            Vram vram) {
        this.lock = lock;
        this.registers = registers;
        this.steps = steps;
        this.vram = vram;
        name = slot.name() + ".engine";
        execution = slot.execution();
        interrupts = slot.interrupts();
        bell = lock.newCondition("rung");
        mmu = new GpuMmu(lock, registers, slot.dma(), vram, trouble);
        mover = new Mover(slot, steps, vram, mmu, trouble);
        ring = new CommandRing(slot, steps, vram, trouble);
        runner = new PacketRunner(ring, mover, trouble);
        report = new TroubleReport(slot, registers, trouble);
        beforeWipe = execution.checkpoint("gpu.reset.before-wipe");
        beforeWriteBack = execution.checkpoint("gpu.write-back.before-write");
        beforeMessage = execution.checkpoint("gpu.interrupt.before-message");
    }

    void start() {
        thread = execution.start(ThreadKind.BLOCKING, name, this::run);
    }

    /** [held] There are packets, perhaps. */
    void ring() {
        assert lock.isHeldByCurrentThread();
        bell.signal();
    }

    /** [held] RUN has become 1. */
    void restart() {
        assert lock.isHeldByCurrentThread();
        restart = true;
        mmu.latch();
        bell.signal();
    }

    /** [held] Translations are to be dropped. */
    void invalidate() {
        assert lock.isHeldByCurrentThread();
        mmu.invalidate();
        bell.signal();
    }

    /** [held] A reset: what is under way has never been asked for. */
    void forget() {
        assert lock.isHeldByCurrentThread();
        steps.end();
        mmu.forget();
        restart = false;
        wipe = false;
    }

    /** [held] A reset by CONTROL: as {@link #forget}, and the VRAM is to be wiped. */
    void wipe() {
        forget();
        wipe = true;
        bell.signal();
    }

    private void run() {
        lock.lock();
        try {
            while (!closing) {
                if (wipe) {
                    clean();
                } else if (mmu.isStale()) {
                    mmu.restart();
                } else if (hasWork()) {
                    work();
                } else {
                    registers.set(STATUS, BUSY, 0);
                    bell.await();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the execution ends its threads
        } finally {
            lock.unlock();
        }
    }

    private void clean() {
        long life = steps.life();
        wipe = false;
        lock.unlock();
        try {
            beforeWipe.reached();
            if (steps.enter(life)) {
                try {
                    vram.wipe();
                } finally {
                    steps.leave();
                }
            }
        } finally {
            lock.lock();
        }
        if (!steps.isOver(life)) {
            registers.set(CONTROL, RESET, 0);
        }
    }

    private boolean hasWork() {
        return registers.get(CONTROL, RUN) == 1
                && (restart || registers.get(RING_HEAD) != registers.get(RING_TAIL));
    }

    private void work() {
        long life = steps.life();
        registers.set(STATUS, BUSY, 1);
        if (restart) {
            restart = false;
            mmu.restart();
            if (ring.restart(registers) == Outcome.FAILED) {
                halt(life, 0);
            }
            return;
        }
        long tail = registers.get(RING_TAIL);
        Outcome outcome;
        lock.unlock();
        try {
            outcome = runner.run(life, tail);
        } finally {
            lock.lock();
        }
        if (steps.isOver(life)) {
            return; // the reset has put the registers right
        }
        if (outcome == Outcome.DONE) {
            done(life);
        } else {
            halt(life, runner.opcode());
        }
    }

    /** A packet is done: what software learns of it. */
    private void done(long life) {
        registers.set(RING_HEAD, ring.head());
        registers.set(PACKETS, registers.get(PACKETS) + 1);
        if (runner.trapped()) {
            report.trapped(runner.argument());
        }
        int vector = runner.vector();
        boolean usedUp = ring.isUsedUp() && registers.get(WRITE_BACK, WRITE_BACK_ENABLE) == 1;
        if (!usedUp && vector == PacketRunner.NO_VECTOR) {
            return;
        }
        long to = registers.get(WRITE_BACK);
        Outcome outcome = Outcome.DONE;
        lock.unlock();
        try {
            if (usedUp) {
                outcome = writeBack(life, to);
            }
            if (vector != PacketRunner.NO_VECTOR) {
                interrupt(life, vector);
            }
        } finally {
            lock.lock();
        }
        if (outcome == Outcome.FAILED && !steps.isOver(life)) {
            halt(life, 0);
        }
    }

    /** Stops, and says why. */
    private void halt(long life, int opcode) {
        boolean loud = report.halted(ring.head(), opcode);
        if (loud) {
            lock.unlock();
            try {
                interrupt(life, TroubleReport.VECTOR);
            } finally {
                lock.lock();
            }
        }
    }

    private Outcome writeBack(long life, long to) {
        long address = to & -Long.BYTES;
        boolean inVram = WRITE_BACK_IN_VRAM.get(to) == 1;
        beforeWriteBack.reached();
        if (!steps.enter(life)) {
            return Outcome.OVER;
        }
        try {
            if (inVram && !vram.holds(address, Long.BYTES)) {
                return trouble.is(GpuError.WRITE_BACK, address);
            }
            Outcome outcome = mover.word(life, inVram, address, ring.head());
            return outcome == Outcome.FAILED
                    ? trouble.is(GpuError.WRITE_BACK, trouble.detail(), address)
                    : outcome;
        } finally {
            steps.leave();
        }
    }

    private void interrupt(long life, int vector) {
        beforeMessage.reached();
        if (steps.enter(life)) {
            try {
                interrupts.raise(vector); // a refusal is the guest's: it has not enabled messages
            } finally {
                steps.leave();
            }
        }
    }

    /** {@return how often it has stopped because of an error} */
    long halts() {
        return report.halts();
    }

    /** Ends the thread and waits for it. */
    @Override
    public void close() {
        EmulatedThread running;
        lock.lock();
        try {
            running = thread;
            closing = true;
            steps.end();
            bell.signal();
        } finally {
            lock.unlock();
        }
        if (running != null) {
            running.joinUninterruptibly(); // the memory may go only when nobody uses it
        }
        ring.close();
        mover.close();
        mmu.close();
    }
}
