package org.peerlane.bus.pcie.config;

/** Uncorrectable errors, by their bit in the AER registers. */
public enum PcieError {
    /** The data link layer's protocol was broken. */
    DATA_LINK_PROTOCOL(4, true),
    /** The link went down without a word (PC-68). */
    SURPRISE_DOWN(5, true),
    /** Data is marked as bad. */
    POISONED(12, false),
    /** Flow control was broken. */
    FLOW_CONTROL(13, true),
    /** A read was never answered (PC-67). */
    COMPLETION_TIMEOUT(14, false),
    /** A request that breaks its completer's rules. */
    COMPLETER_ABORT(15, false),
    /** An answer that nobody has asked for. */
    UNEXPECTED_COMPLETION(16, false),
    /** The receiver had no room. */
    RECEIVER_OVERFLOW(17, true),
    /** No packet at all. */
    MALFORMED(18, true),
    /** A request that nobody takes (PC-33). */
    UNSUPPORTED_REQUEST(20, false),
    /** Refused by access control (PC-55). */
    ACS_VIOLATION(21, false),
    /** A fault inside. */
    INTERNAL(22, true);

    private final int bit;
    private final boolean fatal;

    PcieError(int bit, boolean fatal) {
        this.bit = bit;
        this.fatal = fatal;
    }

    /** {@return its bit in status, mask and severity} */
    public int bit() {
        return bit;
    }

    /** {@return whether it is fatal if software does not say otherwise} */
    public boolean fatalByDefault() {
        return fatal;
    }

    int mask() {
        return 1 << bit;
    }
}
