package org.peerlane.device.gpu;

/** Why the engine stopped; {@link #code} is what ERROR.CODE says. */
enum GpuError {
    /** It has not. */
    NONE(0),
    /** No packet has this opcode. */
    BAD_OPCODE(1),
    /** The packet's WORDS are not what its opcode takes. */
    BAD_LENGTH(2),
    /** A bit of the header that must be 0 is 1, or an address space is none. */
    RESERVED(3),
    /** The packet reaches past the write pointer. */
    TRUNCATED(4),
    /** Address and length leave the address space. */
    RANGE(5),
    /** An address or a length is not a multiple of what the packet takes. */
    ALIGNMENT(6),
    /** The card does not have such an interrupt vector. */
    VECTOR(7),
    /** The card's MMU has no translation; FAULT_STATUS says more. */
    MMU_FAULT(8),
    /** The bus answered a DMA with an error, or took none. */
    BUS(9),
    /** A packet could not be read from the ring. */
    FETCH(10),
    /** The registers of the ring describe none. */
    RING(11),
    /** The read pointer could not be written to where WRITE_BACK says. */
    WRITE_BACK(12);

    private final int code;

    GpuError(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
