package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** What only a header of type 1 has (PC-10, PC-42). BARs and ROM are {@link BarRegisters}. */
enum BridgeRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    PRIMARY            (0x18, 1, 0,
            rw(7, 0, "PRIMARY_BUS")),
    SECONDARY          (0x19, 1, 0,
            rw(7, 0, "SECONDARY_BUS")),
    SUBORDINATE        (0x1A, 1, 0,
            rw(7, 0, "SUBORDINATE_BUS")),
    IO_BASE            (0x1C, 1, 0x01,
            rw(7, 4, "IO_FIRST"),
            ro(3, 0, "IO_BASE_TYPE")), // 1: 32-bit
    IO_LIMIT           (0x1D, 1, 0x01,
            rw(7, 4, "IO_LAST"),
            ro(3, 0, "IO_LIMIT_TYPE")),
    SECONDARY_STATUS   (0x1E, 2, 0,
            w1c(15, 15, "PARITY_ERROR"),
            w1c(14, 14, "RECEIVED_SERR"),
            w1c(13, 13, "MASTER_ABORT"),
            w1c(12, 12, "TARGET_ABORT"),
            w1c(11, 11, "SIGNALLED_ABORT"),
            rsvd(10, 9),
            w1c(8, 8, "DATA_PARITY"),
            rsvd(7, 0)),
    MEMORY_BASE        (0x20, 2, 0,
            rw(15, 4, "MEMORY_FIRST"), // address bits 31:20
            rsvd(3, 0)),
    MEMORY_LIMIT       (0x22, 2, 0,
            rw(15, 4, "MEMORY_LAST"),
            rsvd(3, 0)),
    PREFETCH_BASE      (0x24, 2, 0x0001,
            rw(15, 4, "PREFETCH_FIRST"),
            ro(3, 0, "PREFETCH_BASE_TYPE")), // 1: 64-bit
    PREFETCH_LIMIT     (0x26, 2, 0x0001,
            rw(15, 4, "PREFETCH_LAST"),
            ro(3, 0, "PREFETCH_LIMIT_TYPE")),
    PREFETCH_BASE_HIGH (0x28, 4, 0,
            rw(31, 0, "PREFETCH_FIRST_HIGH")),
    PREFETCH_LIMIT_HIGH(0x2C, 4, 0,
            rw(31, 0, "PREFETCH_LAST_HIGH")),
    IO_BASE_HIGH       (0x30, 2, 0,
            rw(15, 0, "IO_FIRST_HIGH")),
    IO_LIMIT_HIGH      (0x32, 2, 0,
            rw(15, 0, "IO_LAST_HIGH")),
    BRIDGE_CONTROL     (0x3E, 2, 0,
            rsvd(15, 7),
            rw(6, 6, "SECONDARY_RESET"),
            rsvd(5, 5),
            rw(4, 4, "VGA_16_BIT"),
            rw(3, 3, "VGA"),
            rw(2, 2, "ISA"),
            rw(1, 1, "SERR"),
            rw(0, 0, "PARITY"));
    // spotless:on

    static final Field PRIMARY_BUS = PRIMARY.field("PRIMARY_BUS");
    static final Field SECONDARY_BUS = SECONDARY.field("SECONDARY_BUS");
    static final Field SUBORDINATE_BUS = SUBORDINATE.field("SUBORDINATE_BUS");
    static final Field IO_FIRST = IO_BASE.field("IO_FIRST");
    static final Field IO_BASE_TYPE = IO_BASE.field("IO_BASE_TYPE");
    static final Field IO_LAST = IO_LIMIT.field("IO_LAST");
    static final Field IO_LIMIT_TYPE = IO_LIMIT.field("IO_LIMIT_TYPE");
    static final Field PARITY_ERROR = SECONDARY_STATUS.field("PARITY_ERROR");
    static final Field RECEIVED_SERR = SECONDARY_STATUS.field("RECEIVED_SERR");
    static final Field MASTER_ABORT = SECONDARY_STATUS.field("MASTER_ABORT");
    static final Field TARGET_ABORT = SECONDARY_STATUS.field("TARGET_ABORT");
    static final Field SIGNALLED_ABORT = SECONDARY_STATUS.field("SIGNALLED_ABORT");
    static final Field DATA_PARITY = SECONDARY_STATUS.field("DATA_PARITY");
    static final Field MEMORY_FIRST = MEMORY_BASE.field("MEMORY_FIRST");
    static final Field MEMORY_LAST = MEMORY_LIMIT.field("MEMORY_LAST");
    static final Field PREFETCH_FIRST = PREFETCH_BASE.field("PREFETCH_FIRST");
    static final Field PREFETCH_BASE_TYPE = PREFETCH_BASE.field("PREFETCH_BASE_TYPE");
    static final Field PREFETCH_LAST = PREFETCH_LIMIT.field("PREFETCH_LAST");
    static final Field PREFETCH_LIMIT_TYPE = PREFETCH_LIMIT.field("PREFETCH_LIMIT_TYPE");
    static final Field PREFETCH_FIRST_HIGH = PREFETCH_BASE_HIGH.field("PREFETCH_FIRST_HIGH");
    static final Field PREFETCH_LAST_HIGH = PREFETCH_LIMIT_HIGH.field("PREFETCH_LAST_HIGH");
    static final Field IO_FIRST_HIGH = IO_BASE_HIGH.field("IO_FIRST_HIGH");
    static final Field IO_LAST_HIGH = IO_LIMIT_HIGH.field("IO_LAST_HIGH");
    static final Field SECONDARY_RESET = BRIDGE_CONTROL.field("SECONDARY_RESET");
    static final Field VGA_16_BIT = BRIDGE_CONTROL.field("VGA_16_BIT");
    static final Field VGA = BRIDGE_CONTROL.field("VGA");
    static final Field ISA = BRIDGE_CONTROL.field("ISA");
    static final Field SERR = BRIDGE_CONTROL.field("SERR");
    static final Field PARITY = BRIDGE_CONTROL.field("PARITY");

    private final Placement placement;

    BridgeRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
