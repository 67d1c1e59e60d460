package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ro;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rw;
import static org.peerlane.registers.Field.w1c;
import static org.peerlane.registers.Field.wo;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** PCI Express version 2, of the function itself, from the start of the capability. */
enum ExpressRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    FLAGS  (0x02, 2, 0x0002,
            rsvd(15, 14),
            ro(13, 9, "INTERRUPT_MESSAGE"),
            ro(8, 8, "SLOT"),
            ro(7, 4, "TYPE"),
            ro(3, 0, "VERSION")),
    DEVCAP (0x04, 4, 0x0000_8000,
            rsvd(31, 29),
            ro(28, 28, "FLR"),
            rsvd(27, 16),
            ro(15, 15, "ROLE_BASED"), // always 1
            rsvd(14, 6),
            ro(5, 5, "EXTENDED_TAG_SUPPORTED"),
            rsvd(4, 3),
            ro(2, 0, "MAX_PAYLOAD_SUPPORTED")), // 128 << n
    DEVCTL (0x08, 2, 0x2810,
            wo(15, 15, "START_FLR"),
            rw(14, 12, "MAX_READ"), // 128 << n
            rw(11, 11, "NO_SNOOP"),
            rsvd(10, 9),
            rw(8, 8, "EXTENDED_TAG"),
            rw(7, 5, "MAX_PAYLOAD"),
            rw(4, 4, "RELAXED_ORDERING"),
            rw(3, 3, "REPORT_UNSUPPORTED"),
            rw(2, 2, "REPORT_FATAL"),
            rw(1, 1, "REPORT_NONFATAL"),
            rw(0, 0, "REPORT_CORRECTABLE")),
    DEVSTA (0x0A, 2, 0,
            rsvd(15, 6),
            ro(5, 5, "PENDING"), // transactions
            rsvd(4, 4),
            w1c(3, 3, "UNSUPPORTED"),
            w1c(2, 2, "FATAL"),
            w1c(1, 1, "NONFATAL"),
            w1c(0, 0, "CORRECTABLE")),
    DEVCAP2(0x24, 4, 0x0000_0010,
            rsvd(31, 10),
            ro(9, 9, "CAS_128"),
            ro(8, 8, "ATOMIC_64"),
            ro(7, 7, "ATOMIC_32"),
            ro(6, 6, "ATOMIC_ROUTING"),
            ro(5, 5, "ARI_SUPPORTED"),
            ro(4, 4, "TIMEOUT_DISABLE_SUPPORTED"),
            ro(3, 0, "TIMEOUT_RANGES")),
    DEVCTL2(0x28, 2, 0,
            rsvd(15, 8),
            rw(7, 7, "ATOMIC_EGRESS_BLOCK"),
            rw(6, 6, "ATOMIC_REQUESTER"),
            rw(5, 5, "ARI_FORWARDING"),
            rw(4, 4, "TIMEOUT_DISABLE"),
            rw(3, 0, "TIMEOUT")); // PC-67
    // spotless:on

    static final Field INTERRUPT_MESSAGE = FLAGS.field("INTERRUPT_MESSAGE");
    static final Field SLOT = FLAGS.field("SLOT");
    static final Field TYPE = FLAGS.field("TYPE");
    static final Field VERSION = FLAGS.field("VERSION");
    static final Field FLR = DEVCAP.field("FLR");
    static final Field ROLE_BASED = DEVCAP.field("ROLE_BASED");
    static final Field EXTENDED_TAG_SUPPORTED = DEVCAP.field("EXTENDED_TAG_SUPPORTED");
    static final Field MAX_PAYLOAD_SUPPORTED = DEVCAP.field("MAX_PAYLOAD_SUPPORTED");
    static final Field START_FLR = DEVCTL.field("START_FLR");
    static final Field MAX_READ = DEVCTL.field("MAX_READ");
    static final Field NO_SNOOP = DEVCTL.field("NO_SNOOP");
    static final Field EXTENDED_TAG = DEVCTL.field("EXTENDED_TAG");
    static final Field MAX_PAYLOAD = DEVCTL.field("MAX_PAYLOAD");
    static final Field RELAXED_ORDERING = DEVCTL.field("RELAXED_ORDERING");
    static final Field REPORT_UNSUPPORTED = DEVCTL.field("REPORT_UNSUPPORTED");
    static final Field REPORT_FATAL = DEVCTL.field("REPORT_FATAL");
    static final Field REPORT_NONFATAL = DEVCTL.field("REPORT_NONFATAL");
    static final Field REPORT_CORRECTABLE = DEVCTL.field("REPORT_CORRECTABLE");
    static final Field PENDING = DEVSTA.field("PENDING");
    static final Field UNSUPPORTED = DEVSTA.field("UNSUPPORTED");
    static final Field FATAL = DEVSTA.field("FATAL");
    static final Field NONFATAL = DEVSTA.field("NONFATAL");
    static final Field CORRECTABLE = DEVSTA.field("CORRECTABLE");
    static final Field CAS_128 = DEVCAP2.field("CAS_128");
    static final Field ATOMIC_64 = DEVCAP2.field("ATOMIC_64");
    static final Field ATOMIC_32 = DEVCAP2.field("ATOMIC_32");
    static final Field ATOMIC_ROUTING = DEVCAP2.field("ATOMIC_ROUTING");
    static final Field ARI_SUPPORTED = DEVCAP2.field("ARI_SUPPORTED");
    static final Field TIMEOUT_DISABLE_SUPPORTED = DEVCAP2.field("TIMEOUT_DISABLE_SUPPORTED");
    static final Field TIMEOUT_RANGES = DEVCAP2.field("TIMEOUT_RANGES");
    static final Field ATOMIC_EGRESS_BLOCK = DEVCTL2.field("ATOMIC_EGRESS_BLOCK");
    static final Field ATOMIC_REQUESTER = DEVCTL2.field("ATOMIC_REQUESTER");
    static final Field ARI_FORWARDING = DEVCTL2.field("ARI_FORWARDING");
    static final Field TIMEOUT_DISABLE = DEVCTL2.field("TIMEOUT_DISABLE");
    static final Field TIMEOUT = DEVCTL2.field("TIMEOUT");

    private final Placement placement;

    ExpressRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
