package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.ros;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1cs;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** What a root port has of advanced error reporting, too, from the start of the capability. */
enum AerRootRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    ROOT_COMMAND(0x2C, 4, 0,
            rsvd(31, 3),
            rw(2, 2, "FATAL_ENABLE"),
            rw(1, 1, "NONFATAL_ENABLE"),
            rw(0, 0, "CORRECTABLE_ENABLE")),
    ROOT_STATUS (0x30, 4, 0,
            ro(31, 27, "INTERRUPT_MESSAGE"),
            rsvd(26, 7),
            w1cs(6, 6, "FATAL_RECEIVED"),
            w1cs(5, 5, "NONFATAL_RECEIVED"),
            w1cs(4, 4, "FIRST_FATAL"),
            w1cs(3, 3, "MULTIPLE_UNCORRECTABLE"),
            w1cs(2, 2, "UNCORRECTABLE"),
            w1cs(1, 1, "MULTIPLE_CORRECTABLE"),
            w1cs(0, 0, "CORRECTABLE")),
    SOURCE      (0x34, 4, 0,
            ros(31, 16, "UNCORRECTABLE_SOURCE"),
            ros(15, 0, "CORRECTABLE_SOURCE"));
    // spotless:on

    static final Field FATAL_ENABLE = ROOT_COMMAND.field("FATAL_ENABLE");
    static final Field NONFATAL_ENABLE = ROOT_COMMAND.field("NONFATAL_ENABLE");
    static final Field CORRECTABLE_ENABLE = ROOT_COMMAND.field("CORRECTABLE_ENABLE");
    static final Field INTERRUPT_MESSAGE = ROOT_STATUS.field("INTERRUPT_MESSAGE");
    static final Field FATAL_RECEIVED = ROOT_STATUS.field("FATAL_RECEIVED");
    static final Field NONFATAL_RECEIVED = ROOT_STATUS.field("NONFATAL_RECEIVED");
    static final Field FIRST_FATAL = ROOT_STATUS.field("FIRST_FATAL");
    static final Field MULTIPLE_UNCORRECTABLE = ROOT_STATUS.field("MULTIPLE_UNCORRECTABLE");
    static final Field UNCORRECTABLE = ROOT_STATUS.field("UNCORRECTABLE");
    static final Field MULTIPLE_CORRECTABLE = ROOT_STATUS.field("MULTIPLE_CORRECTABLE");
    static final Field CORRECTABLE = ROOT_STATUS.field("CORRECTABLE");
    static final Field UNCORRECTABLE_SOURCE = SOURCE.field("UNCORRECTABLE_SOURCE");
    static final Field CORRECTABLE_SOURCE = SOURCE.field("CORRECTABLE_SOURCE");

    private final Placement placement;

    AerRootRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
