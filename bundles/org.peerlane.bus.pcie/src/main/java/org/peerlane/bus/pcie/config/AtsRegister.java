package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Address translation services, from the start of the capability. */
enum AtsRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CAPABILITY(0x04, 2, 0,
            rsvd(15, 6),
            ro(5, 5, "PAGE_ALIGNED"),
            ro(4, 0, "QUEUE_DEPTH")), // 0: 32
    CONTROL   (0x06, 2, 0,
            rw(15, 15, "ENABLE"),
            rsvd(14, 5),
            rw(4, 0, "STU")); // smallest translation unit is 2^(12+STU) bytes
    // spotless:on

    static final Field PAGE_ALIGNED = CAPABILITY.field("PAGE_ALIGNED");
    static final Field QUEUE_DEPTH = CAPABILITY.field("QUEUE_DEPTH");
    static final Field ENABLE = CONTROL.field("ENABLE");
    static final Field STU = CONTROL.field("STU");

    private final Placement placement;

    AtsRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
