package org.peerlane.device.gpu;

import org.jspecify.annotations.Nullable;

/** The packets there are; {@link Packet} has their pictures. */
enum Opcode {
    /** Nothing, for as many words as it says. */
    NOP(0x00, 0, 0),
    /** Copies bytes. */
    COPY(0x01, 4, Packet.SOURCE | Packet.DESTINATION),
    /** Fills with a pattern of 4 bytes. */
    FILL(0x02, 3, Packet.DESTINATION | Packet.ARGUMENT),
    /** Writes 8 bytes, and may interrupt. */
    FENCE(0x03, 3, Packet.DESTINATION | Packet.INTERRUPT | Packet.VECTOR),
    /** Interrupts. */
    TRAP(0x04, 1, Packet.VECTOR | Packet.ARGUMENT);

    private static final Opcode[] BY_CODE = values();

    private final int code;
    private final int words;
    private final long used;

    Opcode(int code, int words, long used) {
        this.code = code;
        this.words = words;
        this.used = used | Packet.OPCODE | Packet.WORDS;
    }

    /** {@return the opcode of a code, or null: it is none} */
    static @Nullable Opcode of(int code) {
        return code < BY_CODE.length ? BY_CODE[code] : null;
    }

    /** {@return whether a packet of it may have so many words} */
    boolean takes(int count) {
        return words == 0 ? count > 0 : count == words;
    }

    /** {@return the bits of a header that must be 0} */
    long reserved(long header) {
        boolean quiet = this == FENCE && (header & Packet.INTERRUPT) == 0;
        return ~(quiet ? used & ~Packet.VECTOR : used);
    }

    int code() {
        return code;
    }
}
