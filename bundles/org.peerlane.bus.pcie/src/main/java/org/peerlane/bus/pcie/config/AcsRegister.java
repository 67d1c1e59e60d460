package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Access control services, from the start of the capability (PC-31); the egress vector follows. */
enum AcsRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CAPABILITY(0x04, 2, 0,
            ro(15, 8, "EGRESS_BITS"), // 0: 256, with egress control
            rsvd(7, 7),
            ro(6, 0, "SUPPORTED")),
    CONTROL   (0x06, 2, 0,
            rsvd(15, 7),
            rw(6, 0, "ENABLED"));
    // spotless:on

    static final Field EGRESS_BITS = CAPABILITY.field("EGRESS_BITS");
    static final Field SUPPORTED = CAPABILITY.field("SUPPORTED");
    static final Field ENABLED = CONTROL.field("ENABLED");

    private final Placement placement;

    AcsRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
