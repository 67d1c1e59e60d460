package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.wo;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Advanced features, from the start of the capability (PC-61). */
enum AdvancedFeaturesRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    LENGTH      (0x02, 1, 0x06,
            ro(7, 0, "BYTES")),
    CAPABILITIES(0x03, 1, 0x03,
            rsvd(7, 2),
            ro(1, 1, "FLR"),
            ro(0, 0, "PENDING_REPORTED")),
    CONTROL     (0x04, 1, 0,
            rsvd(7, 1),
            wo(0, 0, "START_FLR")),
    STATUS      (0x05, 1, 0,
            rsvd(7, 1),
            ro(0, 0, "PENDING"));
    // spotless:on

    static final Field BYTES = LENGTH.field("BYTES");
    static final Field FLR = CAPABILITIES.field("FLR");
    static final Field PENDING_REPORTED = CAPABILITIES.field("PENDING_REPORTED");
    static final Field START_FLR = CONTROL.field("START_FLR");
    static final Field PENDING = STATUS.field("PENDING");

    private final Placement placement;

    AdvancedFeaturesRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
