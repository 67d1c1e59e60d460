package org.peerlane.device.gpu;

import static org.peerlane.device.gpu.GpuRegister.BUSY;
import static org.peerlane.device.gpu.GpuRegister.CONTROL;
import static org.peerlane.device.gpu.GpuRegister.ERROR;
import static org.peerlane.device.gpu.GpuRegister.ERROR_ADDRESS;
import static org.peerlane.device.gpu.GpuRegister.ERROR_OFFSET;
import static org.peerlane.device.gpu.GpuRegister.HALTED;
import static org.peerlane.device.gpu.GpuRegister.INVALIDATE;
import static org.peerlane.device.gpu.GpuRegister.MMU_CONTROL;
import static org.peerlane.device.gpu.GpuRegister.RESET;
import static org.peerlane.device.gpu.GpuRegister.RUN;
import static org.peerlane.device.gpu.GpuRegister.STATUS;
import static org.peerlane.device.gpu.GpuRegister.VRAM_BYTES;
import static org.peerlane.device.gpu.GpuRegister.WINDOW_BYTES;

import java.util.concurrent.atomic.LongAdder;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.registers.RegisterFile;
import org.peerlane.trace.api.Tracepoint;

/**
 * The register side of a GPU: answers reads, notes what writes ask for, and rings the {@linkplain
 * GpuEngine engine}, which does it. BAR 0 has the registers and, in pages of their own, the MSI-X
 * table; BAR 2 is the VRAM, from its start on, for as long as the BAR is.
 *
 * <p><b>Life.</b> Stopped, with VRAM of zeros, after construction and after each reset, until
 * {@link #close}. A reset of the function is over when {@link #reset} returns, one by CONTROL when
 * RESET reads 0.
 *
 * <p><b>Locks.</b> {@code gpu.device}, a leaf, guards the registers and what the engine has to do.
 * It is held for a few instructions, never across DMA or an interrupt.
 *
 * <p><b>Guest mistakes.</b> A wrong width reads all-ones and writes nothing. An address without a
 * register reads 0 (PC-20). A register of the ring keeps its value while the engine uses it, all of
 * them while a reset is under way. Bad packets stop the engine: {@link GpuError}.
 */
final class GpuDevice implements DeviceModel {
    static final int VENDOR_ID = 0x1234;
    static final int DEVICE_ID = 0x6770;

    /** MSI-X vectors. */
    static final int VECTORS = 8;

    private static final int CLASS_3D_CONTROLLER = 0x030200;
    private static final long REGISTER_BYTES = 0x4000;
    private static final long TABLE = 0x2000;
    private static final long PENDING = 0x3000;
    private static final int VRAM_BAR = 2;

    private static final Logger LOG = LogManager.getLogger(GpuDevice.class);

    private final String slot;
    private final GpuBoard board;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final RegisterFile<GpuRegister> registers =
            new RegisterFile<>(GpuRegister.class, WINDOW_BYTES);

    private final Vram vram;
    private final Steps steps;
    private final GpuEngine engine;
    private final LongAdder refused = new LongAdder();
    private final Tracepoint<GpuAccessRefused> accessRefused;

    /**
     * Makes a stopped card and starts its engine.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM} no room for the VRAM
     */
    GpuDevice(DeviceSlot slot, GpuBoard board) {
        this.slot = slot.name();
        this.board = board;
        lock = slot.execution().lock("gpu.device");
        accessRefused = slot.tracer().point(GpuAccessRefused.class);
        vram = new Vram(board.vramBytes());
        steps = new Steps(slot.execution());
        registers.set(VRAM_BYTES, board.vramBytes());
        engine = new GpuEngine(slot, lock, registers, steps, vram);
        engine.start();
    }

    @Override
    public FunctionLayout layout() {
        long seen = board.resizable() ? board.vramBytes() : board.visibleBytes();
        FunctionLayout.Builder layout =
                FunctionLayout.of(VENDOR_ID, DEVICE_ID, CLASS_3D_CONTROLLER)
                        .revision(1)
                        .bar(BarLayout.registers(0, REGISTER_BYTES, false, false))
                        .bar(
                                new BarLayout(
                                        VRAM_BAR,
                                        board.visibleBytes(),
                                        true,
                                        true,
                                        vram.bytes().asSlice(0, seen)))
                        .with(CapabilityLayout.PowerManagement.plain())
                        .with(new CapabilityLayout.MsiX(VECTORS, 0, TABLE, 0, PENDING))
                        .with(new CapabilityLayout.Express(256, true, true, 4, 16))
                        .with(new CapabilityLayout.Aer());
        if (board.resizable()) {
            layout.with(new CapabilityLayout.ResizableBar(VRAM_BAR, board.sizes()));
        }
        return layout.build();
    }

    @Override
    public long read(int bar, long offset, int bytes) {
        if (!takes(offset, bytes)) {
            refuse(offset, bytes, false);
            return -1L >>> 64 - 8 * bytes;
        }
        lock.lock();
        try {
            return registers.read(offset, bytes);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void write(int bar, long offset, int bytes, long value) {
        boolean taken = takes(offset, bytes);
        if (taken) {
            lock.lock();
            try {
                taken = registers.get(CONTROL, RESET) == 0 && write(offset, bytes, value);
            } finally {
                lock.unlock();
            }
        }
        if (!taken) {
            refuse(offset, bytes, true);
        }
    }

    /** The table has the bits, the switch has the effects. {@return whether it had any} */
    private boolean write(long offset, int bytes, long value) {
        switch (registers.at(offset)) {
            case null -> {
                return false;
            }
            case ID,
                    VECTORS,
                    VRAM_BYTES,
                    STATUS,
                    ERROR,
                    ERROR_OFFSET,
                    ERROR_ADDRESS,
                    FAULT_ADDRESS,
                    TRAP_VALUE,
                    PACKETS -> {} // read-only
            case INTERRUPT_STATUS, INTERRUPT_ENABLE, MMU_BASE, FAULT_STATUS ->
                    registers.write(offset, bytes, value);
            case CONTROL -> control(value);
            case RING_BASE, RING_SETUP, RING_HEAD, WRITE_BACK -> {
                if (registers.get(CONTROL, RUN) == 1 || registers.get(STATUS, BUSY) == 1) {
                    return false;
                }
                registers.write(offset, bytes, value);
            }
            case RING_TAIL -> {
                registers.write(offset, bytes, value);
                engine.ring();
            }
            case MMU_CONTROL -> {
                long asked = registers.get(MMU_CONTROL, INVALIDATE);
                registers.write(offset, bytes, value);
                if ((asked | INVALIDATE.get(value)) == 1) {
                    registers.set(MMU_CONTROL, INVALIDATE, 1); // no write takes it back
                    engine.invalidate();
                }
            }
        }
        return true;
    }

    private void control(long value) {
        if (RESET.get(value) == 1) {
            engine.wipe();
            clear();
            registers.set(CONTROL, RESET, 1);
            return;
        }
        boolean ran = registers.get(CONTROL, RUN) == 1;
        registers.set(CONTROL, RUN, RUN.get(value));
        if (!ran && RUN.get(value) == 1) {
            registers.set(STATUS, HALTED, 0);
            registers.set(ERROR, 0);
            registers.set(ERROR_OFFSET, 0);
            registers.set(ERROR_ADDRESS, 0);
            engine.restart();
        }
    }

    private void clear() {
        registers.reset();
        registers.set(VRAM_BYTES, board.vramBytes());
    }

    /** Four bytes anywhere, eight where a register of eight starts or nothing is. */
    private boolean takes(long offset, int bytes) {
        GpuRegister register = registers.at(offset); // never changes, so no lock
        return bytes == 4
                || bytes == 8
                        && (register == null
                                || register.bytes() == 8 && register.offset() == offset);
    }

    private void refuse(long offset, int bytes, boolean write) {
        if (refused.sum() == 0) {
            LOG.warn(
                    "{}: {} of {} bytes at 0x{} refused; later ones are only counted",
                    slot,
                    write ? "write" : "read",
                    bytes,
                    Long.toHexString(offset));
        }
        refused.increment();
        if (accessRefused.isOn()) {
            accessRefused.emit(new GpuAccessRefused(slot, offset, bytes, write));
        }
    }

    /** {@return accesses that had no effect} */
    long refusedAccesses() {
        return refused.sum();
    }

    /** {@return how often the engine has stopped because of an error} */
    long halts() {
        return engine.halts();
    }

    @Override
    public void reset(ResetKind kind) {
        lock.lock();
        try {
            engine.forget();
            clear();
        } finally {
            lock.unlock();
        }
        steps.settle(vram::wipe);
    }

    @Override
    public void close() {
        engine.close();
        vram.close();
    }
}
