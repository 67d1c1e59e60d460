package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** MSI-X, from the start of the capability. */
enum MsiXRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CONTROL(0x02, 2, 0,
            rw(15, 15, "ENABLE"),
            rw(14, 14, "FUNCTION_MASK"),
            rsvd(13, 11),
            ro(10, 0, "TABLE_SIZE")), // less one
    TABLE  (0x04, 4, 0,
            ro(31, 3, "TABLE_OFFSET"),
            ro(2, 0, "TABLE_BAR")),
    PBA    (0x08, 4, 0,
            ro(31, 3, "PBA_OFFSET"),
            ro(2, 0, "PBA_BAR"));
    // spotless:on

    static final Field ENABLE = CONTROL.field("ENABLE");
    static final Field FUNCTION_MASK = CONTROL.field("FUNCTION_MASK");
    static final Field TABLE_SIZE = CONTROL.field("TABLE_SIZE");
    static final Field TABLE_OFFSET = TABLE.field("TABLE_OFFSET");
    static final Field TABLE_BAR = TABLE.field("TABLE_BAR");
    static final Field PBA_OFFSET = PBA.field("PBA_OFFSET");
    static final Field PBA_BAR = PBA.field("PBA_BAR");

    private final Placement placement;

    MsiXRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
