package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** What headers of type 0 and type 1 share: 0x00 to 0x0F and 0x34 to 0x3D (PC-7 to PC-10). */
enum HeaderRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    VENDOR     (0x00, 2, 0,
            ro(15, 0, "VENDOR_ID")),
    DEVICE     (0x02, 2, 0,
            ro(15, 0, "DEVICE_ID")),
    COMMAND    (0x04, 2, 0, // PC-7
            rsvd(15, 11),
            rw(10, 10, "INTX_DISABLE"),
            rsvd(9, 9),
            rw(8, 8, "SERR"),
            rsvd(7, 7),
            rw(6, 6, "PARITY"),
            rsvd(5, 3),
            rw(2, 2, "BUS_MASTER"),
            rw(1, 1, "MEMORY"),
            rw(0, 0, "IO")), // only with I/O space
    STATUS     (0x06, 2, 0, // PC-8
            w1c(15, 15, "PARITY_ERROR"),
            w1c(14, 14, "SIGNALLED_SERR"),
            w1c(13, 13, "MASTER_ABORT"), // received
            w1c(12, 12, "TARGET_ABORT"), // received
            w1c(11, 11, "SIGNALLED_ABORT"),
            rsvd(10, 9),
            w1c(8, 8, "DATA_PARITY"),
            rsvd(7, 5),
            ro(4, 4, "CAPABILITIES"),
            ro(3, 3, "INTERRUPT"), // pending, whatever INTX_DISABLE says
            rsvd(2, 0)),
    REVISION   (0x08, 1, 0,
            ro(7, 0, "REVISION_ID")),
    CLASS_LOW  (0x09, 1, 0,
            ro(7, 0, "PROGRAMMING")),
    CLASS_HIGH (0x0A, 2, 0,
            ro(15, 8, "BASE"),
            ro(7, 0, "SUB")),
    CACHE_LINE (0x0C, 1, 0,
            rw(7, 0, "DWORDS")), // no effect in PCI Express
    LATENCY    (0x0D, 1, 0,
            ro(7, 0, "TIMER")),
    HEADER_TYPE(0x0E, 1, 0,
            ro(7, 7, "MULTIFUNCTION"),
            ro(6, 0, "LAYOUT")),
    POINTER    (0x34, 1, 0,
            ro(7, 0, "FIRST")),
    LINE       (0x3C, 1, 0,
            rw(7, 0, "LINE_NUMBER")), // software's own
    PIN        (0x3D, 1, 0,
            ro(7, 0, "PIN_NUMBER"));
    // spotless:on

    static final Field VENDOR_ID = VENDOR.field("VENDOR_ID");
    static final Field DEVICE_ID = DEVICE.field("DEVICE_ID");
    static final Field INTX_DISABLE = COMMAND.field("INTX_DISABLE");
    static final Field SERR = COMMAND.field("SERR");
    static final Field PARITY = COMMAND.field("PARITY");
    static final Field BUS_MASTER = COMMAND.field("BUS_MASTER");
    static final Field MEMORY = COMMAND.field("MEMORY");
    static final Field IO = COMMAND.field("IO");
    static final Field PARITY_ERROR = STATUS.field("PARITY_ERROR");
    static final Field SIGNALLED_SERR = STATUS.field("SIGNALLED_SERR");
    static final Field MASTER_ABORT = STATUS.field("MASTER_ABORT");
    static final Field TARGET_ABORT = STATUS.field("TARGET_ABORT");
    static final Field SIGNALLED_ABORT = STATUS.field("SIGNALLED_ABORT");
    static final Field DATA_PARITY = STATUS.field("DATA_PARITY");
    static final Field CAPABILITIES = STATUS.field("CAPABILITIES");
    static final Field INTERRUPT = STATUS.field("INTERRUPT");
    static final Field REVISION_ID = REVISION.field("REVISION_ID");
    static final Field PROGRAMMING = CLASS_LOW.field("PROGRAMMING");
    static final Field BASE = CLASS_HIGH.field("BASE");
    static final Field SUB = CLASS_HIGH.field("SUB");
    static final Field DWORDS = CACHE_LINE.field("DWORDS");
    static final Field TIMER = LATENCY.field("TIMER");
    static final Field MULTIFUNCTION = HEADER_TYPE.field("MULTIFUNCTION");
    static final Field LAYOUT = HEADER_TYPE.field("LAYOUT");
    static final Field FIRST = POINTER.field("FIRST");
    static final Field LINE_NUMBER = LINE.field("LINE_NUMBER");
    static final Field PIN_NUMBER = PIN.field("PIN_NUMBER");

    private final Placement placement;

    HeaderRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
