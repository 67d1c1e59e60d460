package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Virtual functions, from the start of the capability (PC-34); VF BARs are at 0x24. */
enum SrIovRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    CAPABILITIES   (0x04, 4, 0,
            rsvd(31, 2),
            ro(1, 1, "ARI_PRESERVED"),
            rsvd(0, 0)),
    CONTROL        (0x08, 2, 0,
            rsvd(15, 5),
            rw(4, 4, "ARI"),
            rw(3, 3, "VF_MEMORY"),
            rsvd(2, 1),
            rw(0, 0, "VF_ENABLE")),
    STATUS         (0x0A, 2, 0,
            rsvd(15, 1),
            ro(0, 0, "MIGRATION")),
    INITIAL_VFS    (0x0C, 2, 0,
            ro(15, 0, "INITIAL")),
    TOTAL_VFS      (0x0E, 2, 0,
            ro(15, 0, "TOTAL")),
    NUM_VFS        (0x10, 2, 0,
            rw(15, 0, "NUMBER")),
    DEPENDENCY     (0x12, 1, 0,
            ro(7, 0, "LINK")),
    FIRST_OFFSET   (0x14, 2, 0,
            ro(15, 0, "OFFSET")),
    STRIDE         (0x16, 2, 0,
            ro(15, 0, "STEP")),
    VF_DEVICE      (0x1A, 2, 0,
            ro(15, 0, "VF_DEVICE_ID")),
    SUPPORTED_PAGES(0x1C, 4, 0x0000_0001,
            ro(31, 0, "SUPPORTED")),
    SYSTEM_PAGE    (0x20, 4, 0x0000_0001,
            rw(31, 0, "PAGE")), // bit n: 2^(n+12) bytes
    MIGRATION_STATE(0x3C, 4, 0,
            ro(31, 0, "ARRAY"));
    // spotless:on

    static final Field ARI_PRESERVED = CAPABILITIES.field("ARI_PRESERVED");
    static final Field ARI = CONTROL.field("ARI");
    static final Field VF_MEMORY = CONTROL.field("VF_MEMORY");
    static final Field VF_ENABLE = CONTROL.field("VF_ENABLE");
    static final Field MIGRATION = STATUS.field("MIGRATION");
    static final Field INITIAL = INITIAL_VFS.field("INITIAL");
    static final Field TOTAL = TOTAL_VFS.field("TOTAL");
    static final Field NUMBER = NUM_VFS.field("NUMBER");
    static final Field LINK = DEPENDENCY.field("LINK");
    static final Field OFFSET = FIRST_OFFSET.field("OFFSET");
    static final Field STEP = STRIDE.field("STEP");
    static final Field VF_DEVICE_ID = VF_DEVICE.field("VF_DEVICE_ID");
    static final Field SUPPORTED = SUPPORTED_PAGES.field("SUPPORTED");
    static final Field PAGE = SYSTEM_PAGE.field("PAGE");
    static final Field ARRAY = MIGRATION_STATE.field("ARRAY");

    private final Placement placement;

    SrIovRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
