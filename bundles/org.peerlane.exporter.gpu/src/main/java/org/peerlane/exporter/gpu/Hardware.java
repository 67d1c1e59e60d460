package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.bus.api.FunctionReset;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * The card itself: what is written to which register, when.
 *
 * <p><b>Life.</b> {@link #enable}, then {@link #run} and {@link #stop} by turns. <b>Threads.</b>
 * One at a time, but for {@link #ring}.
 */
final class Hardware {
    private static final long STOP_NANOS = 1_000_000_000L;
    private static final long LOOK_NANOS = 100_000L;
    private static final int COMMAND = 0x04;
    private static final long ABSENT = 0xFFFF_FFFFL;

    private final Execution execution;
    private final PcieBus bus;
    private final PcieFunction function;
    private final List<AutoCloseable> interrupts = new ArrayList<>();

    Hardware(Execution execution, PcieBus bus, PcieFunction function) {
        this.execution = execution;
        this.bus = bus;
        this.function = function;
    }

    /**
     * Makes the card answer.
     *
     * @param resize whether to put as much of the VRAM behind the BAR as can be
     * @throws ErrnoException {@code ENODEV} it is no such card, or gone
     */
    void enable(boolean resize) {
        function.enable(true, false);
        long id = read(GpuRegisters.ID, 4);
        if (id >>> 16 != GpuRegisters.MAGIC) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "%s identifies itself as 0x%x; expected 0x4750...."
                            .formatted(function.slot(), id));
        }
        if (resize && bar().bytes() < vram()) {
            resize();
        }
        function.enable(true, true);
    }

    /** All of the VRAM, if the card and the machine's address space allow it. */
    private void resize() {
        long all = vram();
        function.enable(false, false);
        try {
            function.resizeBar(GpuRegisters.MEMORY, all);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EOPNOTSUPP
                    && e.errno() != Errno.ENOSPC
                    && e.errno() != Errno.EINVAL) {
                throw e;
            }
        }
        function.enable(true, false);
    }

    /** {@return where the CPU finds the start of the VRAM, and how much of it} */
    AddressRange<PhysicalAddress> bar() {
        return function.bar(GpuRegisters.MEMORY);
    }

    /** {@return how much VRAM there is} */
    long vram() {
        return read(GpuRegisters.VRAM_BYTES, 8);
    }

    /** Has handlers called; they stay through resets. */
    void onInterrupts(Runnable error, Runnable fence, Runnable room) {
        interrupts.add(request(GpuRegisters.VECTOR_ERROR, error));
        interrupts.add(request(GpuRegisters.VECTOR_FENCE, fence));
        interrupts.add(request(GpuRegisters.VECTOR_ROOM, room));
    }

    private AutoCloseable request(int vector, Runnable handler) {
        return function.requestInterrupt(InterruptKind.MSIX, vector, handler);
    }

    /** Starts the engine on an empty ring. */
    void run(long ring, int sizeLg2) {
        function.enable(true, true);
        write(GpuRegisters.RING_BASE, 8, ring);
        write(GpuRegisters.RING_SETUP, 4, sizeLg2);
        write(GpuRegisters.WRITE_BACK, 8, 0);
        write(GpuRegisters.RING_HEAD, 4, 0);
        write(GpuRegisters.RING_TAIL, 4, 0);
        write(GpuRegisters.INTERRUPT_STATUS, 4, GpuRegisters.INTERRUPT_ALL);
        write(GpuRegisters.INTERRUPT_ENABLE, 4, GpuRegisters.INTERRUPT_FAULT_ERROR);
        write(GpuRegisters.CONTROL, 4, GpuRegisters.CONTROL_RUN);
    }

    /** There are packets up to here. */
    void ring(long tail) {
        write(GpuRegisters.RING_TAIL, 4, tail);
    }

    /** {@return where the engine is} */
    long head() {
        return read(GpuRegisters.RING_HEAD, 4);
    }

    /** {@return whether it stopped because of a packet or the ring} */
    boolean isHalted() {
        long status = read(GpuRegisters.STATUS, 4);
        return status != ABSENT && (status & GpuRegisters.STATUS_HALTED) != 0;
    }

    /** What it has sent has arrived when this returns. */
    void drain() {
        function.waitForPendingTransactions();
    }

    /** {@return what stopped it: code, opcode and detail, as the register has them} */
    long error() {
        return read(GpuRegisters.ERROR, 4);
    }

    /** {@return what that is about} */
    long errorAddress() {
        return read(GpuRegisters.ERROR_ADDRESS, 8);
    }

    /** Goes on behind what stopped it. */
    void resume(long head) {
        write(GpuRegisters.INTERRUPT_STATUS, 4, GpuRegisters.INTERRUPT_ALL);
        write(GpuRegisters.RING_HEAD, 4, head);
        write(GpuRegisters.CONTROL, 4, GpuRegisters.CONTROL_RUN);
    }

    /**
     * Stops the engine. When this returns, nothing that it has sent is on its way, and it sends
     * nothing, even if it hangs: it may not use the bus any more.
     */
    void stop() {
        write(GpuRegisters.CONTROL, 4, 0);
        long deadline = execution.nanoTime() + STOP_NANOS;
        boolean interrupted = false;
        while (isBusy() && execution.nanoTime() - deadline < 0) {
            try {
                execution.sleep(LOOK_NANOS);
            } catch (InterruptedException e) {
                interrupted = true;
                break;
            }
        }
        function.writeConfig(COMMAND, 2, function.readConfig(COMMAND, 2) & ~4L);
        function.waitForPendingTransactions();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isBusy() {
        long status = read(GpuRegisters.STATUS, 4);
        return status != ABSENT && (status & GpuRegisters.STATUS_BUSY) != 0;
    }

    /**
     * Resets the card, and only it.
     *
     * @throws ErrnoException {@code ENODEV} it is gone; {@code EIO} it does not come back
     */
    void reset() {
        FunctionReset reset = new FunctionReset(bus.functions(), function);
        reset.byAnyMethod();
        if (read(GpuRegisters.ID, 4) >>> 16 != GpuRegisters.MAGIC) {
            throw new ErrnoException(
                    Errno.EIO, function.slot() + " does not answer after its reset");
        }
    }

    /** Its handlers do not run any more when this returns; and it is off, if it is there. */
    void close(boolean gone) {
        for (AutoCloseable interrupt : interrupts) {
            try {
                interrupt.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(
                        function.slot() + ": an interrupt was not given back", e);
            }
        }
        interrupts.clear();
        if (!gone) {
            function.enable(false, false);
        }
    }

    private long read(long register, int bytes) {
        return function.read(GpuRegisters.REGISTERS, register, bytes);
    }

    private void write(long register, int bytes, long value) {
        function.write(GpuRegisters.REGISTERS, register, bytes, value);
    }
}
