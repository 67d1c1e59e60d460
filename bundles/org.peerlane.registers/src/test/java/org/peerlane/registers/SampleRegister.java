package org.peerlane.registers;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;
import static org.peerlane.registers.Field.wo;

/** One register of each type, narrow and wide, with a hole at 0x1C. */
enum SampleRegister implements PlacedRegister {
    // spotless:off
    //      offset bytes reset
    VERSION  (0x00, 4, 0x1234_5678,
            ro(31, 0, "VERSION")),
    SCRATCH  (0x04, 4, 0x1111_1111,
            rw(31, 0, "SCRATCH")),
    EVENTS   (0x08, 4, 0xFFFF_FFFFL,
            w1c(31, 0, "EVENTS")),
    DOORBELL (0x0C, 4, 0,
            wo(31, 0, "DOORBELL")),
    CONTROL  (0x10, 4, 0x0080_0000,
            rsvd(31, 24),
            ro(23, 16, "STATE"),
            w1c(15, 8, "ERRORS"),
            rw(7, 1, "MODE"),
            rw(0, 0, "EN")),
    RESERVED (0x14, 4, 0,
            rsvd(31, 0)),
    TICKS    (0x20, 8, 0x8877_6655_4433_2211L,
            ro(63, 0, "TICKS")),
    ADDRESS  (0x28, 8, 0,
            rw(63, 12, "PAGE"),
            rsvd(11, 0));
    // spotless:on

    static final int WINDOW_BYTES = 0x30;
    static final Field EN = CONTROL.field("EN");
    static final Field MODE = CONTROL.field("MODE");
    static final Field STATE = CONTROL.field("STATE");

    private final Placement placement;

    SampleRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
