package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.rws;
import static org.peerlane.registers.Field.wo;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** The link of a PCI Express function, from the start of its capability. */
enum LinkRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    LNKCAP (0x0C, 4, 0,
            ro(31, 24, "PORT_NUMBER"),
            rsvd(23, 21),
            ro(20, 20, "ACTIVE_REPORTING"),
            ro(19, 19, "SURPRISE_DOWN_REPORTING"),
            rsvd(18, 10),
            ro(9, 4, "MAX_WIDTH"),
            ro(3, 0, "MAX_SPEED")),
    LNKCTL (0x10, 2, 0,
            rsvd(15, 8),
            rw(7, 7, "EXTENDED_SYNCH"),
            rw(6, 6, "COMMON_CLOCK"),
            wo(5, 5, "RETRAIN"),
            rw(4, 4, "DISABLE"),
            rw(3, 3, "READ_COMPLETION_BOUNDARY"),
            rsvd(2, 2),
            rw(1, 0, "ASPM")),
    LNKSTA (0x12, 2, 0,
            rsvd(15, 14),
            ro(13, 13, "ACTIVE"), // data link layer
            rsvd(12, 12),
            ro(11, 11, "TRAINING"),
            rsvd(10, 10),
            ro(9, 4, "WIDTH"),
            ro(3, 0, "SPEED")),
    LNKCAP2(0x2C, 4, 0,
            rsvd(31, 8),
            ro(7, 1, "SPEEDS"),
            rsvd(0, 0)),
    LNKCTL2(0x30, 2, 0,
            rsvd(15, 4),
            rws(3, 0, "TARGET_SPEED")),
    LNKSTA2(0x32, 2, 0,
            rsvd(15, 1),
            ro(0, 0, "DEEMPHASIS"));
    // spotless:on

    static final Field PORT_NUMBER = LNKCAP.field("PORT_NUMBER");
    static final Field ACTIVE_REPORTING = LNKCAP.field("ACTIVE_REPORTING");
    static final Field SURPRISE_DOWN_REPORTING = LNKCAP.field("SURPRISE_DOWN_REPORTING");
    static final Field MAX_WIDTH = LNKCAP.field("MAX_WIDTH");
    static final Field MAX_SPEED = LNKCAP.field("MAX_SPEED");
    static final Field EXTENDED_SYNCH = LNKCTL.field("EXTENDED_SYNCH");
    static final Field COMMON_CLOCK = LNKCTL.field("COMMON_CLOCK");
    static final Field RETRAIN = LNKCTL.field("RETRAIN");
    static final Field DISABLE = LNKCTL.field("DISABLE");
    static final Field READ_COMPLETION_BOUNDARY = LNKCTL.field("READ_COMPLETION_BOUNDARY");
    static final Field ASPM = LNKCTL.field("ASPM");
    static final Field ACTIVE = LNKSTA.field("ACTIVE");
    static final Field TRAINING = LNKSTA.field("TRAINING");
    static final Field WIDTH = LNKSTA.field("WIDTH");
    static final Field SPEED = LNKSTA.field("SPEED");
    static final Field SPEEDS = LNKCAP2.field("SPEEDS");
    static final Field TARGET_SPEED = LNKCTL2.field("TARGET_SPEED");
    static final Field DEEMPHASIS = LNKSTA2.field("DEEMPHASIS");

    private final Placement placement;

    LinkRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
