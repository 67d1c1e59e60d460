package org.peerlane.bus.pcie.config;

import static org.peerlane.registers.Field.ros;
import static org.peerlane.registers.Field.rsvd;
import static org.peerlane.registers.Field.rws;
import static org.peerlane.registers.Field.w1cs;

import org.peerlane.registers.Field;
import org.peerlane.registers.PlacedRegister;

/** Advanced error reporting, from the start of the capability (PC-32, PC-33). */
enum AerRegister implements PlacedRegister {
    // spotless:off
    // offset bytes reset
    UNCORRECTABLE_STATUS  (0x04, 4, 0,
            rsvd(31, 23),
            w1cs(22, 22, "INTERNAL"),
            w1cs(21, 21, "ACS_VIOLATION"),
            w1cs(20, 20, "UNSUPPORTED"),
            rsvd(19, 19),
            w1cs(18, 18, "MALFORMED"),
            w1cs(17, 17, "OVERFLOW"),
            w1cs(16, 16, "UNEXPECTED"),
            w1cs(15, 15, "ABORT"),
            w1cs(14, 14, "TIMEOUT"),
            w1cs(13, 13, "FLOW_CONTROL"),
            w1cs(12, 12, "POISONED"),
            rsvd(11, 6),
            w1cs(5, 5, "SURPRISE_DOWN"),
            w1cs(4, 4, "DLP"),
            rsvd(3, 0)),
    UNCORRECTABLE_MASK    (0x08, 4, 0x0040_0000,
            rsvd(31, 23),
            rws(22, 22, "M_INTERNAL"),
            rws(21, 21, "M_ACS_VIOLATION"),
            rws(20, 20, "M_UNSUPPORTED"),
            rsvd(19, 19),
            rws(18, 18, "M_MALFORMED"),
            rws(17, 17, "M_OVERFLOW"),
            rws(16, 16, "M_UNEXPECTED"),
            rws(15, 15, "M_ABORT"),
            rws(14, 14, "M_TIMEOUT"),
            rws(13, 13, "M_FLOW_CONTROL"),
            rws(12, 12, "M_POISONED"),
            rsvd(11, 6),
            rws(5, 5, "M_SURPRISE_DOWN"),
            rws(4, 4, "M_DLP"),
            rsvd(3, 0)),
    UNCORRECTABLE_SEVERITY(0x0C, 4, 0x0046_2030, // 1: fatal
            rsvd(31, 23),
            rws(22, 22, "S_INTERNAL"),
            rws(21, 21, "S_ACS_VIOLATION"),
            rws(20, 20, "S_UNSUPPORTED"),
            rsvd(19, 19),
            rws(18, 18, "S_MALFORMED"),
            rws(17, 17, "S_OVERFLOW"),
            rws(16, 16, "S_UNEXPECTED"),
            rws(15, 15, "S_ABORT"),
            rws(14, 14, "S_TIMEOUT"),
            rws(13, 13, "S_FLOW_CONTROL"),
            rws(12, 12, "S_POISONED"),
            rsvd(11, 6),
            rws(5, 5, "S_SURPRISE_DOWN"),
            rws(4, 4, "S_DLP"),
            rsvd(3, 0)),
    CORRECTABLE_STATUS    (0x10, 4, 0,
            rsvd(31, 15),
            w1cs(14, 14, "CORRECTED_INTERNAL"),
            w1cs(13, 13, "ADVISORY"),
            w1cs(12, 12, "REPLAY_TIMEOUT"),
            rsvd(11, 9),
            w1cs(8, 8, "REPLAY_ROLLOVER"),
            w1cs(7, 7, "BAD_DLLP"),
            w1cs(6, 6, "BAD_TLP"),
            rsvd(5, 1),
            w1cs(0, 0, "RECEIVER")),
    CORRECTABLE_MASK      (0x14, 4, 0x0000_6000,
            rsvd(31, 15),
            rws(14, 14, "M_CORRECTED_INTERNAL"),
            rws(13, 13, "M_ADVISORY"),
            rws(12, 12, "M_REPLAY_TIMEOUT"),
            rsvd(11, 9),
            rws(8, 8, "M_REPLAY_ROLLOVER"),
            rws(7, 7, "M_BAD_DLLP"),
            rws(6, 6, "M_BAD_TLP"),
            rsvd(5, 1),
            rws(0, 0, "M_RECEIVER")),
    CONTROL               (0x18, 4, 0,
            rsvd(31, 5),
            ros(4, 0, "FIRST_ERROR")),
    HEADER_LOG_0          (0x1C, 4, 0, // byte 0 of the header is in 31:24
            ros(31, 0, "HEADER_0")),
    HEADER_LOG_1          (0x20, 4, 0,
            ros(31, 0, "HEADER_1")),
    HEADER_LOG_2          (0x24, 4, 0,
            ros(31, 0, "HEADER_2")),
    HEADER_LOG_3          (0x28, 4, 0,
            ros(31, 0, "HEADER_3"));
    // spotless:on

    static final Field INTERNAL = UNCORRECTABLE_STATUS.field("INTERNAL");
    static final Field ACS_VIOLATION = UNCORRECTABLE_STATUS.field("ACS_VIOLATION");
    static final Field UNSUPPORTED = UNCORRECTABLE_STATUS.field("UNSUPPORTED");
    static final Field MALFORMED = UNCORRECTABLE_STATUS.field("MALFORMED");
    static final Field OVERFLOW = UNCORRECTABLE_STATUS.field("OVERFLOW");
    static final Field UNEXPECTED = UNCORRECTABLE_STATUS.field("UNEXPECTED");
    static final Field ABORT = UNCORRECTABLE_STATUS.field("ABORT");
    static final Field TIMEOUT = UNCORRECTABLE_STATUS.field("TIMEOUT");
    static final Field FLOW_CONTROL = UNCORRECTABLE_STATUS.field("FLOW_CONTROL");
    static final Field POISONED = UNCORRECTABLE_STATUS.field("POISONED");
    static final Field SURPRISE_DOWN = UNCORRECTABLE_STATUS.field("SURPRISE_DOWN");
    static final Field DLP = UNCORRECTABLE_STATUS.field("DLP");
    static final Field M_INTERNAL = UNCORRECTABLE_MASK.field("M_INTERNAL");
    static final Field M_ACS_VIOLATION = UNCORRECTABLE_MASK.field("M_ACS_VIOLATION");
    static final Field M_UNSUPPORTED = UNCORRECTABLE_MASK.field("M_UNSUPPORTED");
    static final Field M_MALFORMED = UNCORRECTABLE_MASK.field("M_MALFORMED");
    static final Field M_OVERFLOW = UNCORRECTABLE_MASK.field("M_OVERFLOW");
    static final Field M_UNEXPECTED = UNCORRECTABLE_MASK.field("M_UNEXPECTED");
    static final Field M_ABORT = UNCORRECTABLE_MASK.field("M_ABORT");
    static final Field M_TIMEOUT = UNCORRECTABLE_MASK.field("M_TIMEOUT");
    static final Field M_FLOW_CONTROL = UNCORRECTABLE_MASK.field("M_FLOW_CONTROL");
    static final Field M_POISONED = UNCORRECTABLE_MASK.field("M_POISONED");
    static final Field M_SURPRISE_DOWN = UNCORRECTABLE_MASK.field("M_SURPRISE_DOWN");
    static final Field M_DLP = UNCORRECTABLE_MASK.field("M_DLP");
    static final Field S_INTERNAL = UNCORRECTABLE_SEVERITY.field("S_INTERNAL");
    static final Field S_ACS_VIOLATION = UNCORRECTABLE_SEVERITY.field("S_ACS_VIOLATION");
    static final Field S_UNSUPPORTED = UNCORRECTABLE_SEVERITY.field("S_UNSUPPORTED");
    static final Field S_MALFORMED = UNCORRECTABLE_SEVERITY.field("S_MALFORMED");
    static final Field S_OVERFLOW = UNCORRECTABLE_SEVERITY.field("S_OVERFLOW");
    static final Field S_UNEXPECTED = UNCORRECTABLE_SEVERITY.field("S_UNEXPECTED");
    static final Field S_ABORT = UNCORRECTABLE_SEVERITY.field("S_ABORT");
    static final Field S_TIMEOUT = UNCORRECTABLE_SEVERITY.field("S_TIMEOUT");
    static final Field S_FLOW_CONTROL = UNCORRECTABLE_SEVERITY.field("S_FLOW_CONTROL");
    static final Field S_POISONED = UNCORRECTABLE_SEVERITY.field("S_POISONED");
    static final Field S_SURPRISE_DOWN = UNCORRECTABLE_SEVERITY.field("S_SURPRISE_DOWN");
    static final Field S_DLP = UNCORRECTABLE_SEVERITY.field("S_DLP");
    static final Field CORRECTED_INTERNAL = CORRECTABLE_STATUS.field("CORRECTED_INTERNAL");
    static final Field ADVISORY = CORRECTABLE_STATUS.field("ADVISORY");
    static final Field REPLAY_TIMEOUT = CORRECTABLE_STATUS.field("REPLAY_TIMEOUT");
    static final Field REPLAY_ROLLOVER = CORRECTABLE_STATUS.field("REPLAY_ROLLOVER");
    static final Field BAD_DLLP = CORRECTABLE_STATUS.field("BAD_DLLP");
    static final Field BAD_TLP = CORRECTABLE_STATUS.field("BAD_TLP");
    static final Field RECEIVER = CORRECTABLE_STATUS.field("RECEIVER");
    static final Field M_CORRECTED_INTERNAL = CORRECTABLE_MASK.field("M_CORRECTED_INTERNAL");
    static final Field M_ADVISORY = CORRECTABLE_MASK.field("M_ADVISORY");
    static final Field M_REPLAY_TIMEOUT = CORRECTABLE_MASK.field("M_REPLAY_TIMEOUT");
    static final Field M_REPLAY_ROLLOVER = CORRECTABLE_MASK.field("M_REPLAY_ROLLOVER");
    static final Field M_BAD_DLLP = CORRECTABLE_MASK.field("M_BAD_DLLP");
    static final Field M_BAD_TLP = CORRECTABLE_MASK.field("M_BAD_TLP");
    static final Field M_RECEIVER = CORRECTABLE_MASK.field("M_RECEIVER");
    static final Field FIRST_ERROR = CONTROL.field("FIRST_ERROR");
    static final Field HEADER_0 = HEADER_LOG_0.field("HEADER_0");
    static final Field HEADER_1 = HEADER_LOG_1.field("HEADER_1");
    static final Field HEADER_2 = HEADER_LOG_2.field("HEADER_2");
    static final Field HEADER_3 = HEADER_LOG_3.field("HEADER_3");

    private final Placement placement;

    AerRegister(int offset, int bytes, long reset, Field... fields) {
        placement = Placement.of(offset, bytes, reset, fields);
    }

    @Override
    public Placement placement() {
        return placement;
    }
}
