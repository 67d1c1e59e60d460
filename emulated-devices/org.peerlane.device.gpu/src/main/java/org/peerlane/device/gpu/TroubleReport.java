package org.peerlane.device.gpu;

import static org.peerlane.device.gpu.GpuRegister.BUSY;
import static org.peerlane.device.gpu.GpuRegister.CODE;
import static org.peerlane.device.gpu.GpuRegister.CONTROL;
import static org.peerlane.device.gpu.GpuRegister.DETAIL;
import static org.peerlane.device.gpu.GpuRegister.ERROR;
import static org.peerlane.device.gpu.GpuRegister.ERROR_ADDRESS;
import static org.peerlane.device.gpu.GpuRegister.ERROR_OFFSET;
import static org.peerlane.device.gpu.GpuRegister.ERROR_PENDING;
import static org.peerlane.device.gpu.GpuRegister.FAULT_ADDRESS;
import static org.peerlane.device.gpu.GpuRegister.FAULT_PENDING;
import static org.peerlane.device.gpu.GpuRegister.FAULT_STATUS;
import static org.peerlane.device.gpu.GpuRegister.HALTED;
import static org.peerlane.device.gpu.GpuRegister.INTERRUPT_ENABLE;
import static org.peerlane.device.gpu.GpuRegister.INTERRUPT_STATUS;
import static org.peerlane.device.gpu.GpuRegister.LEVEL;
import static org.peerlane.device.gpu.GpuRegister.OPCODE;
import static org.peerlane.device.gpu.GpuRegister.REASON;
import static org.peerlane.device.gpu.GpuRegister.RUN;
import static org.peerlane.device.gpu.GpuRegister.STATUS;
import static org.peerlane.device.gpu.GpuRegister.TRAP_PENDING;
import static org.peerlane.device.gpu.GpuRegister.TRAP_VALUE;
import static org.peerlane.device.gpu.GpuRegister.VALID;
import static org.peerlane.device.gpu.GpuRegister.WRITE;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.registers.RegisterFile;
import org.peerlane.trace.api.Tracepoint;

/**
 * Puts what happened where software and the trace look for it. <b>Threads.</b> The engine's, with
 * the device's lock held.
 */
final class TroubleReport {
    /** The interrupt of errors and faults. */
    static final int VECTOR = 0;

    private static final Logger LOG = LogManager.getLogger(TroubleReport.class);

    private final String slot;
    private final RegisterFile<GpuRegister> registers;
    private final Trouble trouble;
    private final Tracepoint<GpuHalted> halted;
    private volatile long halts; // written by the engine's thread only

    TroubleReport(DeviceSlot slot, RegisterFile<GpuRegister> registers, Trouble trouble) {
        this.slot = slot.name();
        this.registers = registers;
        this.trouble = trouble;
        halted = slot.tracer().point(GpuHalted.class);
    }

    /** {@return how often the engine has stopped because of an error} */
    long halts() {
        return halts;
    }

    /** A TRAP packet has been run. */
    void trapped(int value) {
        registers.set(TRAP_VALUE, Integer.toUnsignedLong(value));
        registers.set(INTERRUPT_STATUS, TRAP_PENDING, 1);
    }

    /** The engine stops. {@return whether software wants an interrupt} */
    boolean halted(long offset, int opcode) {
        GpuError error = trouble.error();
        registers.set(CONTROL, RUN, 0);
        registers.set(STATUS, HALTED, 1);
        registers.set(STATUS, BUSY, 0); // software may set the ring right at once
        registers.set(ERROR, CODE, error.code());
        registers.set(ERROR, OPCODE, opcode);
        registers.set(ERROR, DETAIL, trouble.detail());
        registers.set(ERROR_OFFSET, offset);
        registers.set(ERROR_ADDRESS, trouble.address());
        registers.set(INTERRUPT_STATUS, ERROR_PENDING, 1);
        long news = ERROR_PENDING.mask();
        if (error == GpuError.MMU_FAULT) {
            registers.set(INTERRUPT_STATUS, FAULT_PENDING, 1);
            news |= FAULT_PENDING.mask();
            fault();
        }
        tell(offset, opcode);
        return (registers.get(INTERRUPT_ENABLE) & news) != 0;
    }

    private void fault() {
        if (registers.get(FAULT_STATUS, VALID) == 0) {
            registers.set(FAULT_STATUS, REASON, trouble.reason().code());
            registers.set(FAULT_STATUS, LEVEL, trouble.level());
            registers.set(FAULT_STATUS, WRITE, trouble.isWrite() ? 1 : 0);
            registers.set(FAULT_ADDRESS, trouble.address());
            registers.set(FAULT_STATUS, VALID, 1);
        }
    }

    private void tell(long offset, int opcode) {
        long before = halts;
        halts = before + 1;
        if (before == 0) {
            LOG.warn(
                    "{}: stopped at offset 0x{} of the ring, opcode 0x{}: {} {}, address 0x{};"
                            + " later stops are only counted",
                    slot,
                    Long.toHexString(offset),
                    Integer.toHexString(opcode),
                    trouble.error(),
                    detail(),
                    Long.toHexString(trouble.address()));
        }
        if (halted.isOn()) {
            halted.emit(
                    new GpuHalted(
                            slot,
                            offset,
                            opcode,
                            trouble.error().name(),
                            detail(),
                            trouble.address()));
        }
    }

    private String detail() {
        return switch (trouble.error()) {
            case MMU_FAULT -> trouble.reason().name();
            case BUS, FETCH -> DmaResult.describe(DmaResult.of(trouble.detail(), 0));
            case WRITE_BACK ->
                    trouble.detail() == 0
                            ? ""
                            : DmaResult.describe(DmaResult.of(trouble.detail(), 0));
            default -> "";
        };
    }
}
