package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Mask and pending bits of MSI, from the first of the two. */
enum MsiMaskRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    MASK   (0x00, 4, 0,
            rw(31, 0, "MASKED")),
    PENDING(0x04, 4, 0,
            ro(31, 0, "WAITING"));
    // spotless:on

    static final Field MASKED = MASK.field("MASKED");
    static final Field WAITING = PENDING.field("WAITING");

    private final Placement placement;

    MsiMaskRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
