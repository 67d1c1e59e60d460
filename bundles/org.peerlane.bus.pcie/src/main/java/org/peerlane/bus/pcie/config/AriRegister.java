package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Alternative routing-id interpretation, from the start of the capability. */
enum AriRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CAPABILITY(0x04, 2, 0,
            ro(15, 8, "NEXT_FUNCTION"),
            rsvd(7, 0)),
    CONTROL   (0x06, 2, 0,
            rsvd(15, 0));
    // spotless:on

    static final Field NEXT_FUNCTION = CAPABILITY.field("NEXT_FUNCTION");

    private final Placement placement;

    AriRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
