package org.peerlane.device.gpu;

/** Why the card's MMU has no translation; {@link #code} is what FAULT_STATUS.REASON says. */
enum FaultReason {
    /** MMU_CONTROL.ENABLE was 0. */
    DISABLED(1),
    /** The entry is not valid. */
    NOT_PRESENT(2),
    /** The page may only be read. */
    READ_ONLY(3),
    /** A bit of the entry that must be 0 is 1, or the entry is of a kind that its level lacks. */
    RESERVED(4),
    /** The page is not wholly inside the VRAM. */
    OUTSIDE_VRAM(5),
    /** The table itself cannot be read. */
    TABLE(6);

    private final int code;

    FaultReason(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
