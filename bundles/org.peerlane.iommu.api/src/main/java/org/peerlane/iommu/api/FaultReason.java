package org.peerlane.iommu.api;

/** Why a request was blocked, with VT-d's numbers (IM-6). */
public enum FaultReason {
    /** No root entry for the bus. */
    ROOT_ABSENT(0x1),
    /** No context entry for the function. */
    CONTEXT_ABSENT(0x2),
    /** The context entry does not fit the request, or its domain blocks. */
    CONTEXT_INVALID(0x3),
    /** Address beyond the width of the domain. */
    BEYOND_WIDTH(0x4),
    /** No write permission. */
    WRITE_DENIED(0x5),
    /** No read permission. */
    READ_DENIED(0x6),
    /** A page table is not in memory. */
    TABLE_ACCESS(0x7),
    /** Reserved bits in a leaf. */
    RESERVED_BITS(0xC),
    /** A kind of request that the function may not send (IM-13). */
    REQUEST_BLOCKED(0xD),
    /** Interrupt: reserved field set in the message. */
    INTERRUPT_RESERVED(0x20),
    /** Interrupt: index beyond the table. */
    INTERRUPT_INDEX(0x21),
    /** Interrupt: entry absent. */
    INTERRUPT_ABSENT(0x22),
    /** Interrupt: a message in the old format while only remapped ones may pass. */
    INTERRUPT_COMPATIBILITY(0x25),
    /** Interrupt: not the function that the entry is for. */
    INTERRUPT_SOURCE(0x26);

    private static final FaultReason[] BY_CODE = new FaultReason[0x27];

    static {
        for (FaultReason reason : values()) {
            BY_CODE[reason.code] = reason;
        }
    }

    private final int code;

    FaultReason(int code) {
        this.code = code;
    }

    /** {@return the number that the hardware reports} */
    public int code() {
        return code;
    }

    /**
     * {@return the reason with a number}
     *
     * @throws IllegalArgumentException there is none
     */
    public static FaultReason of(int code) {
        FaultReason reason = code > 0 && code < BY_CODE.length ? BY_CODE[code] : null;
        if (reason == null) {
            throw new IllegalArgumentException("no fault reason has the number " + code);
        }
        return reason;
    }
}
