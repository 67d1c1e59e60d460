package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** The serial number, from the start of the capability. */
enum SerialNumberRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    SERIAL(0x04, 8, 0,
            ro(63, 0, "NUMBER"));
    // spotless:on

    static final Field NUMBER = SERIAL.field("NUMBER");

    private final Placement placement;

    SerialNumberRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
