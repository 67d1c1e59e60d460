package org.peerlane.device.gpu;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/**
 * Registers of BAR 0. Software accesses 4 bytes anywhere, and 8 bytes where a register of 8 starts;
 * what they do is told in docs/gpu.md.
 */
enum GpuRegister implements PlacedRegister {
    // spotless:off
    //              offset bytes reset
    ID              (0x000, 4, 0x4750_0100,
            ro(31, 16, "MAGIC"),         // "GP"
            ro(15, 8, "MAJOR"),
            ro(7, 0, "MINOR")),
    VECTORS         (0x004, 4, GpuDevice.VECTORS,
            rsvd(31, 8),
            ro(7, 0, "COUNT")),          // MSI-X vectors that packets may name
    VRAM_BYTES      (0x008, 8, 0,
            ro(63, 0, "BYTES")),         // of all the VRAM, seen through the BAR or not
    CONTROL         (0x010, 4, 0,
            rw(31, 31, "RESET"),         // 1 resets; reads 1 until that is done
            rsvd(30, 1),
            rw(0, 0, "RUN")),            // the engine takes packets
    STATUS          (0x014, 4, 0,
            rsvd(31, 2),
            ro(1, 1, "HALTED"),          // an error has cleared RUN
            ro(0, 0, "BUSY")),
    INTERRUPT_STATUS(0x018, 4, 0,
            rsvd(31, 3),
            w1c(2, 2, "TRAP"),
            w1c(1, 1, "FAULT"),
            w1c(0, 0, "ERROR")),
    INTERRUPT_ENABLE(0x01C, 4, 0,
            rsvd(31, 2),
            rw(1, 1, "FAULT"),           // vector 0 when FAULT comes
            rw(0, 0, "ERROR")),          // vector 0 when ERROR comes
    RING_BASE       (0x020, 8, 0,
            rw(63, 12, "BASE"),
            rsvd(11, 0)),
    RING_SETUP      (0x028, 4, 0,
            rsvd(31, 9),
            rw(8, 8, "IN_VRAM"),         // BASE is a VRAM offset, not a bus address
            rsvd(7, 5),
            rw(4, 0, "SIZE_LG2")),       // 12 to 24
    RING_HEAD       (0x030, 4, 0,
            rw(31, 3, "OFFSET"),         // the packet that is next; written while stopped
            rsvd(2, 0)),
    RING_TAIL       (0x034, 4, 0,
            rw(31, 3, "OFFSET"),         // behind the last packet; the doorbell
            rsvd(2, 0)),
    WRITE_BACK      (0x038, 8, 0,
            rw(63, 3, "ADDRESS"),        // where 8 bytes with RING_HEAD go
            rsvd(2, 2),
            rw(1, 1, "IN_VRAM"),
            rw(0, 0, "ENABLE")),
    ERROR           (0x040, 4, 0,
            rsvd(31, 24),
            ro(23, 16, "DETAIL"),        // BUS, FETCH, WRITE_BACK: the bus' status; FAULT: reason
            ro(15, 8, "OPCODE"),
            ro(7, 0, "CODE")),           // 0: none
    ERROR_OFFSET    (0x044, 4, 0,
            ro(31, 0, "OFFSET")),        // of the packet in the ring
    ERROR_ADDRESS   (0x048, 8, 0,
            ro(63, 0, "ADDRESS")),
    MMU_CONTROL     (0x050, 4, 0,
            rw(31, 31, "INVALIDATE"),    // 1 drops translations; reads 1 until that is done
            rsvd(30, 2),
            rw(1, 1, "IN_VRAM"),         // BASE is a VRAM offset, not a bus address
            rw(0, 0, "ENABLE")),
    MMU_BASE        (0x058, 8, 0,
            rw(63, 12, "BASE"),
            rsvd(11, 0)),
    FAULT_STATUS    (0x060, 4, 0,
            rsvd(31, 10),
            ro(9, 8, "LEVEL"),
            ro(7, 4, "REASON"),
            rsvd(3, 2),
            ro(1, 1, "WRITE"),
            w1c(0, 0, "VALID")),         // the first fault stays until this is cleared
    FAULT_ADDRESS   (0x068, 8, 0,
            ro(63, 0, "ADDRESS")),
    TRAP_VALUE      (0x070, 4, 0,
            ro(31, 0, "VALUE")),         // of the last TRAP
    PACKETS         (0x078, 8, 0,
            ro(63, 0, "DONE"));          // since the last reset
    // spotless:on

    /** Where the registers end. */
    static final int WINDOW_BYTES = 0x80;

    static final Field RESET = CONTROL.field("RESET");
    static final Field RUN = CONTROL.field("RUN");
    static final Field HALTED = STATUS.field("HALTED");
    static final Field BUSY = STATUS.field("BUSY");
    static final Field TRAP_PENDING = INTERRUPT_STATUS.field("TRAP");
    static final Field FAULT_PENDING = INTERRUPT_STATUS.field("FAULT");
    static final Field ERROR_PENDING = INTERRUPT_STATUS.field("ERROR");
    static final Field RING_IN_VRAM = RING_SETUP.field("IN_VRAM");
    static final Field SIZE_LG2 = RING_SETUP.field("SIZE_LG2");
    static final Field WRITE_BACK_IN_VRAM = WRITE_BACK.field("IN_VRAM");
    static final Field WRITE_BACK_ENABLE = WRITE_BACK.field("ENABLE");
    static final Field DETAIL = ERROR.field("DETAIL");
    static final Field OPCODE = ERROR.field("OPCODE");
    static final Field CODE = ERROR.field("CODE");
    static final Field INVALIDATE = MMU_CONTROL.field("INVALIDATE");
    static final Field TABLE_IN_VRAM = MMU_CONTROL.field("IN_VRAM");
    static final Field MMU_ENABLE = MMU_CONTROL.field("ENABLE");
    static final Field LEVEL = FAULT_STATUS.field("LEVEL");
    static final Field REASON = FAULT_STATUS.field("REASON");
    static final Field WRITE = FAULT_STATUS.field("WRITE");
    static final Field VALID = FAULT_STATUS.field("VALID");

    private final Placement placement;

    GpuRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
