package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;
import static org.peerlane.registers.Field.wo;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Page requests, from the start of the capability (IM-15). */
enum PriRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CONTROL   (0x04, 2, 0,
            rsvd(15, 2),
            wo(1, 1, "RESET"),
            rw(0, 0, "ENABLE")),
    STATUS    (0x06, 2, 0x0100,
            ro(15, 15, "PASID_REQUIRED"),
            rsvd(14, 9),
            ro(8, 8, "STOPPED"),
            rsvd(7, 2),
            w1c(1, 1, "UNEXPECTED_GROUP"),
            w1c(0, 0, "RESPONSE_FAILURE")),
    CAPACITY  (0x08, 4, 0,
            ro(31, 0, "MOST")),
    ALLOCATION(0x0C, 4, 0,
            rw(31, 0, "ALLOWED"));
    // spotless:on

    static final Field RESET = CONTROL.field("RESET");
    static final Field ENABLE = CONTROL.field("ENABLE");
    static final Field PASID_REQUIRED = STATUS.field("PASID_REQUIRED");
    static final Field STOPPED = STATUS.field("STOPPED");
    static final Field UNEXPECTED_GROUP = STATUS.field("UNEXPECTED_GROUP");
    static final Field RESPONSE_FAILURE = STATUS.field("RESPONSE_FAILURE");
    static final Field MOST = CAPACITY.field("MOST");
    static final Field ALLOWED = ALLOCATION.field("ALLOWED");

    private final Placement placement;

    PriRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
