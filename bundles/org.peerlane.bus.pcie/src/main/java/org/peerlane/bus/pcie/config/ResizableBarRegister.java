package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** One resizable BAR, from the start of its pair of registers (PC-37). */
enum ResizableBarRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CAPABILITY(0x00, 4, 0,
            ro(31, 4, "SIZES"), // bit n: 2^(n+16) bytes
            rsvd(3, 0)),
    CONTROL   (0x04, 4, 0,
            rsvd(31, 14),
            rw(13, 8, "SIZE"), // 2^(20+n) bytes
            ro(7, 5, "ENTRIES"), // in the first only
            rsvd(4, 3),
            ro(2, 0, "BAR"));
    // spotless:on

    static final Field SIZES = CAPABILITY.field("SIZES");
    static final Field SIZE = CONTROL.field("SIZE");
    static final Field ENTRIES = CONTROL.field("ENTRIES");
    static final Field BAR = CONTROL.field("BAR");

    private final Placement placement;

    ResizableBarRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
