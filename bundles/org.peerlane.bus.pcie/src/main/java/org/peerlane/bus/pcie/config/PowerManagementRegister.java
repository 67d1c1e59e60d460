package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Power management, from the start of the capability (PC-24 to PC-26). */
enum PowerManagementRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    PMC  (0x02, 2, 0x0003,
            ro(15, 11, "PME_SUPPORT"),
            ro(10, 10, "D2"),
            ro(9, 9, "D1"),
            ro(8, 6, "AUX_CURRENT"),
            ro(5, 5, "DSI"),
            rsvd(4, 4),
            ro(3, 3, "PME_CLOCK"),
            ro(2, 0, "VERSION")),
    PMCSR(0x04, 2, 0,
            w1c(15, 15, "PME_STATUS"),
            rsvd(14, 9),
            rw(8, 8, "PME_ENABLE"),
            rsvd(7, 4),
            ro(3, 3, "NO_SOFT_RESET"),
            rsvd(2, 2),
            rw(1, 0, "STATE"));
    // spotless:on

    static final Field PME_SUPPORT = PMC.field("PME_SUPPORT");
    static final Field D2 = PMC.field("D2");
    static final Field D1 = PMC.field("D1");
    static final Field AUX_CURRENT = PMC.field("AUX_CURRENT");
    static final Field DSI = PMC.field("DSI");
    static final Field PME_CLOCK = PMC.field("PME_CLOCK");
    static final Field VERSION = PMC.field("VERSION");
    static final Field PME_STATUS = PMCSR.field("PME_STATUS");
    static final Field PME_ENABLE = PMCSR.field("PME_ENABLE");
    static final Field NO_SOFT_RESET = PMCSR.field("NO_SOFT_RESET");
    static final Field STATE = PMCSR.field("STATE");

    private final Placement placement;

    PowerManagementRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
