package org.peerlane.device.edu;

import java.util.List;
import java.util.Set;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.registers.Field;
import org.peerlane.registers.RegisterFile;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.Tracepoint;

/**
 * The registers of an edu device: identification, a liveness check, a factorial, interrupts, and a
 * DMA engine that moves up to 4 KiB between RAM and a buffer in the device.
 *
 * <p><b>Not modelled.</b> INTx: the device signals by MSI only.
 *
 * <p><b>Locks.</b> One guards the registers. A register access takes it for a few instructions; the
 * engine never holds it while it computes or moves data.
 *
 * <p><b>Source.</b> QEMU {@code docs/specs/edu.rst}. Accesses below 0x80 are 4 bytes wide, from
 * there on 4 or 8; all others read 0 and are dropped.
 */
final class EduDevice implements DeviceModel {
    private static final FunctionLayout LAYOUT =
            new FunctionLayout(
                    0x1234,
                    0x11E8,
                    0x10,
                    0x00FF00,
                    0x1AF4,
                    0x1100,
                    List.of(BarLayout.registers(0, 1 << 20, false, false)),
                    1,
                    Set.of());

    private static final int WINDOW = 0x100;
    private static final int WIDE_FROM = 0x80;
    static final Field COMPUTING = EduRegister.STATUS.field("COMPUTING");
    static final Field IRQ_FACTORIAL = EduRegister.STATUS.field("IRQ_FACTORIAL");
    static final Field DMA_ERROR = EduRegister.STATUS.field("DMA_ERROR");
    static final Field RUN = EduRegister.DMA_COMMAND.field("RUN");

    /** A guest's access that the device does not have; dropped, reads give 0. */
    record EduBadAccess(String slot, long offset, int bytes, boolean write) implements TraceEvent {}

    private final DeviceSlot slot;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final RegisterFile<EduRegister> regs = new RegisterFile<>(EduRegister.class, WINDOW);

    private final EduEngine engine;
    private final Tracepoint<EduBadAccess> badAccess;

    EduDevice(DeviceSlot slot, long dmaMask) {
        this.slot = slot;
        lock = slot.execution().lock("edu.registers");
        badAccess = slot.tracer().point(EduBadAccess.class);
        engine = new EduEngine(slot, lock, regs, dmaMask);
    }

    @Override
    public FunctionLayout layout() {
        return LAYOUT;
    }

    @Override
    public long read(int bar, long offset, int bytes) {
        if (!isAccess(offset, bytes)) {
            reject(offset, bytes, false);
            return 0;
        }
        lock.lock();
        try {
            long value = regs.read(offset, bytes);
            return offset == EduRegister.LIVENESS.offset() ? ~value & 0xFFFF_FFFFL : value;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void write(int bar, long offset, int bytes, long value) {
        if (!isAccess(offset, bytes)) {
            reject(offset, bytes, true);
            return;
        }
        lock.lock();
        try {
            if (isBusy(offset)) {
                return; // as the original: what runs is not disturbed
            }
            EduRegister hit = regs.write(offset, bytes, value);
            if (hit != null) {
                act(hit);
            }
        } finally {
            lock.unlock();
        }
    }

    private static boolean isAccess(long offset, int bytes) {
        return offset < WINDOW && (bytes == 4 || (bytes == 8 && offset >= WIDE_FROM));
    }

    private void reject(long offset, int bytes, boolean write) {
        if (badAccess.isOn()) {
            badAccess.emit(new EduBadAccess(slot.name(), offset, bytes, write));
        }
    }

    /** [held] The factorial's register while it computes, and the DMA's while that runs. */
    private boolean isBusy(long offset) {
        EduRegister register = regs.at(offset);
        return switch (register) {
            case null -> false;
            case FACTORIAL -> regs.get(EduRegister.STATUS, COMPUTING) == 1;
            case DMA_SOURCE, DMA_TARGET, DMA_COUNT, DMA_COMMAND ->
                    regs.get(EduRegister.DMA_COMMAND, RUN) == 1;
            case ID, LIVENESS, STATUS, IRQ_STATUS, IRQ_RAISE, IRQ_ACK -> false;
        };
    }

    /** [held] The table has the bits, the switch has the effects. */
    private void act(EduRegister hit) {
        switch (hit) {
            case FACTORIAL -> {
                regs.set(EduRegister.STATUS, COMPUTING, 1);
                engine.ring();
            }
            case IRQ_RAISE -> {
                long pending = regs.get(EduRegister.IRQ_STATUS) | regs.get(EduRegister.IRQ_RAISE);
                regs.set(EduRegister.IRQ_STATUS, pending);
                engine.signal();
            }
            case IRQ_ACK -> {
                long pending = regs.get(EduRegister.IRQ_STATUS) & ~regs.get(EduRegister.IRQ_ACK);
                regs.set(EduRegister.IRQ_STATUS, pending);
            }
            case DMA_COMMAND -> {
                if (regs.get(EduRegister.DMA_COMMAND, RUN) == 1) {
                    regs.set(EduRegister.STATUS, DMA_ERROR, 0);
                    engine.ring();
                }
            }
            case ID,
                    LIVENESS,
                    STATUS,
                    IRQ_STATUS,
                    DMA_SOURCE,
                    DMA_TARGET,
                    DMA_COUNT -> {} // bits only
        }
    }

    @Override
    public void reset(ResetKind kind) {
        engine.stop();
        lock.lock();
        try {
            regs.reset();
        } finally {
            lock.unlock();
        }
        engine.start();
    }

    @Override
    public void close() {
        engine.stop();
    }
}
