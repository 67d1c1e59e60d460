package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Process address spaces, from the start of the capability (IM-16). */
enum PasidRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CAPABILITY(0x04, 2, 0,
            rsvd(15, 13),
            ro(12, 8, "WIDTH"),
            rsvd(7, 3),
            ro(2, 2, "PRIVILEGED_SUPPORTED"),
            ro(1, 1, "EXECUTE_SUPPORTED"),
            rsvd(0, 0)),
    CONTROL   (0x06, 2, 0,
            rsvd(15, 3),
            rw(2, 2, "PRIVILEGED"),
            rw(1, 1, "EXECUTE"),
            rw(0, 0, "ENABLE"));
    // spotless:on

    static final Field WIDTH = CAPABILITY.field("WIDTH");
    static final Field PRIVILEGED_SUPPORTED = CAPABILITY.field("PRIVILEGED_SUPPORTED");
    static final Field EXECUTE_SUPPORTED = CAPABILITY.field("EXECUTE_SUPPORTED");
    static final Field PRIVILEGED = CONTROL.field("PRIVILEGED");
    static final Field EXECUTE = CONTROL.field("EXECUTE");
    static final Field ENABLE = CONTROL.field("ENABLE");

    private final Placement placement;

    PasidRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
