package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/**
 * MSI with 64-bit addresses, from the start of the capability; masks are there if CONTROL says so.
 */
enum MsiWideRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CONTROL(0x02, 2, 0,
            rsvd(15, 9),
            ro(8, 8, "PER_VECTOR_MASK"),
            ro(7, 7, "WIDE"),
            rw(6, 4, "ENABLED_LG2"), // vectors that software uses
            ro(3, 1, "CAPABLE_LG2"),
            rw(0, 0, "ENABLE")),
    ADDRESS(0x04, 4, 0,
            rw(31, 2, "ADDRESS_LOW"),
            rsvd(1, 0)),
    HIGH   (0x08, 4, 0,
            rw(31, 0, "ADDRESS_HIGH")),
    DATA   (0x0C, 2, 0,
            rw(15, 0, "MESSAGE"));
    // spotless:on

    static final Field PER_VECTOR_MASK = CONTROL.field("PER_VECTOR_MASK");
    static final Field WIDE = CONTROL.field("WIDE");
    static final Field ENABLED_LG2 = CONTROL.field("ENABLED_LG2");
    static final Field CAPABLE_LG2 = CONTROL.field("CAPABLE_LG2");
    static final Field ENABLE = CONTROL.field("ENABLE");
    static final Field ADDRESS_LOW = ADDRESS.field("ADDRESS_LOW");
    static final Field ADDRESS_HIGH = HIGH.field("ADDRESS_HIGH");
    static final Field MESSAGE = DATA.field("MESSAGE");

    private final Placement placement;

    MsiWideRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
