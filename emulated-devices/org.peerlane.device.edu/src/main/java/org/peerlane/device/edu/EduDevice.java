package org.peerlane.device.edu;

import static org.peerlane.device.edu.EduRegister.COMPUTING;
import static org.peerlane.device.edu.EduRegister.DMA_COMMAND;
import static org.peerlane.device.edu.EduRegister.ERROR;
import static org.peerlane.device.edu.EduRegister.FACTORIAL;
import static org.peerlane.device.edu.EduRegister.INTERRUPT_STATUS;
import static org.peerlane.device.edu.EduRegister.LIVENESS;
import static org.peerlane.device.edu.EduRegister.RUN;
import static org.peerlane.device.edu.EduRegister.STATUS;
import static org.peerlane.device.edu.EduRegister.WIDE_FROM;
import static org.peerlane.device.edu.EduRegister.WINDOW_BYTES;

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
 * The register side of an edu device: answers reads, notes what writes ask for, and rings the
 * {@linkplain EduEngine engine}, which does it.
 *
 * <p><b>Life.</b> Idle after construction and after each reset, until {@link #close}.
 *
 * <p><b>Locks.</b> {@code edu.device}, a leaf, guards the registers and what the engine has to do.
 * It is held for a few instructions, never across DMA or an interrupt.
 *
 * <p><b>Guest mistakes.</b> A wrong width reads all-ones and writes nothing, as in QEMU. An address
 * without a register reads 0 (PC-20; QEMU answers all-ones). A DMA register written while a
 * transfer runs, or FACTORIAL while one is computed, keeps its value.
 */
final class EduDevice implements DeviceModel {
    static final int VENDOR_ID = 0x1234;
    static final int DEVICE_ID = 0x11E8;
    static final long BAR_BYTES = 1 << 20;

    private static final FunctionLayout LAYOUT =
            FunctionLayout.of(VENDOR_ID, DEVICE_ID, 0x00FF00)
                    .revision(0x10)
                    .subsystem(0x1AF4, 0x1100) // of QEMU's devices
                    .interruptPin(1)
                    .bar(BarLayout.registers(0, BAR_BYTES, false, false))
                    .with(new CapabilityLayout.Msi(1, true, false))
                    .build();

    private static final Logger LOG = LogManager.getLogger(EduDevice.class);

    private final String slot;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final RegisterFile<EduRegister> registers =
            new RegisterFile<>(EduRegister.class, WINDOW_BYTES);

    private final EduEngine engine;
    private final LongAdder refused = new LongAdder();
    private final Tracepoint<EduAccessRefused> accessRefused;

    /**
     * Makes an idle device and starts its engine.
     *
     * @param dmaMask address bits of its DMA engine
     */
    EduDevice(DeviceSlot slot, long dmaMask) {
        this.slot = slot.name();
        lock = slot.execution().lock("edu.device");
        accessRefused = slot.tracer().point(EduAccessRefused.class);
        engine = new EduEngine(slot, lock, registers, new EduTransfer(slot, dmaMask));
        engine.start();
    }

    @Override
    public FunctionLayout layout() {
        return LAYOUT;
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
        if (!takes(offset, bytes)) {
            refuse(offset, bytes, true);
            return;
        }
        lock.lock();
        try {
            write(offset, bytes, value);
        } finally {
            lock.unlock();
        }
    }

    /** The table has the bits, the switch has the effects. */
    private void write(long offset, int bytes, long value) {
        switch (registers.at(offset)) {
            case null -> refuse(offset, bytes, true); // dropped, as hardware does
            case IDENTIFICATION, INTERRUPT_STATUS -> {} // read-only
            case LIVENESS -> registers.set(LIVENESS, ~value & 0xFFFF_FFFFL);
            case STATUS -> registers.write(offset, bytes, value);
            case FACTORIAL -> {
                if (registers.get(STATUS, COMPUTING) == 0) {
                    registers.write(offset, bytes, value);
                    registers.set(STATUS, COMPUTING, 1);
                    engine.ring();
                }
            }
            case INTERRUPT_RAISE -> engine.interrupt(value & 0xFFFF_FFFFL);
            case INTERRUPT_ACKNOWLEDGE ->
                    registers.set(INTERRUPT_STATUS, registers.get(INTERRUPT_STATUS) & ~value);
            case DMA_SOURCE, DMA_DESTINATION, DMA_COUNT -> {
                if (registers.get(DMA_COMMAND, RUN) == 0) {
                    registers.write(offset, bytes, value);
                }
            }
            case DMA_COMMAND -> {
                boolean start = offset == DMA_COMMAND.offset() && (value & RUN.mask()) != 0;
                if (start && registers.get(DMA_COMMAND, RUN) == 0) {
                    registers.write(offset, bytes, value);
                    registers.set(DMA_COMMAND, ERROR, 0);
                    engine.ring();
                }
            }
        }
    }

    private static boolean takes(long offset, int bytes) {
        return bytes == 4 || bytes == 8 && offset >= WIDE_FROM;
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
            accessRefused.emit(new EduAccessRefused(slot, offset, bytes, write));
        }
    }

    /** {@return accesses that had no effect: a wrong width, or a write where no register is} */
    long refusedAccesses() {
        return refused.sum();
    }

    /** {@return transfers that did not move all of their bytes} */
    long failedTransfers() {
        return engine.failedTransfers();
    }

    @Override
    public void reset(ResetKind kind) {
        lock.lock();
        try {
            registers.reset();
            engine.forget();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
