package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** The root of a hierarchy, from the start of a root port's PCI Express capability. */
enum RootRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    RTCTL(0x1C, 2, 0,
            rsvd(15, 5),
            rw(4, 4, "RRS_VISIBLE"), // PC-5
            rw(3, 3, "PME_INTERRUPT"),
            rw(2, 2, "SERR_FATAL"),
            rw(1, 1, "SERR_NONFATAL"),
            rw(0, 0, "SERR_CORRECTABLE")),
    RTCAP(0x1E, 2, 0x0001,
            rsvd(15, 1),
            ro(0, 0, "RRS_VISIBILITY")),
    RTSTA(0x20, 4, 0,
            rsvd(31, 18),
            ro(17, 17, "PME_PENDING"),
            w1c(16, 16, "PME"),
            ro(15, 0, "PME_REQUESTER"));
    // spotless:on

    static final Field RRS_VISIBLE = RTCTL.field("RRS_VISIBLE");
    static final Field PME_INTERRUPT = RTCTL.field("PME_INTERRUPT");
    static final Field SERR_FATAL = RTCTL.field("SERR_FATAL");
    static final Field SERR_NONFATAL = RTCTL.field("SERR_NONFATAL");
    static final Field SERR_CORRECTABLE = RTCTL.field("SERR_CORRECTABLE");
    static final Field RRS_VISIBILITY = RTCAP.field("RRS_VISIBILITY");
    static final Field PME_PENDING = RTSTA.field("PME_PENDING");
    static final Field PME = RTSTA.field("PME");
    static final Field PME_REQUESTER = RTSTA.field("PME_REQUESTER");

    private final Placement placement;

    RootRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
