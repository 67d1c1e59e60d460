package org.peerlane.device.gpu;

import org.jspecify.annotations.Nullable;

/** What the address in a packet means; {@link #code} is the two bits of the header. */
enum Space {
    /** An offset in the VRAM, visible or not. */
    VRAM(0),
    /** An address on the bus. */
    BUS(1),
    /** An address that the card's MMU translates. */
    VIRTUAL(2);

    private static final Space[] BY_CODE = values();

    private final int code;

    Space(int code) {
        this.code = code;
    }

    /** {@return the space of two bits, or null: 3 is none} */
    static @Nullable Space of(int code) {
        return code < BY_CODE.length ? BY_CODE[code] : null;
    }

    int code() {
        return code;
    }
}
