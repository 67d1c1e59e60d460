package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** What only a header of type 0 has (PC-9). BARs and ROM are {@link BarRegisters}. */
enum EndpointRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    SUBSYSTEM_VENDOR(0x2C, 2, 0,
            ro(15, 0, "SUBSYSTEM_VENDOR_ID")),
    SUBSYSTEM       (0x2E, 2, 0,
            ro(15, 0, "SUBSYSTEM_ID"));
    // spotless:on

    static final Field SUBSYSTEM_VENDOR_ID = SUBSYSTEM_VENDOR.field("SUBSYSTEM_VENDOR_ID");
    static final Field SUBSYSTEM_ID = SUBSYSTEM.field("SUBSYSTEM_ID");

    private final Placement placement;

    EndpointRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
