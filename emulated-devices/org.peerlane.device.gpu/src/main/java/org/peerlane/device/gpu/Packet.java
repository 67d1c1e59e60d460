package org.peerlane.device.gpu;

/**
 * The format of packets: words of 8 bytes, little-endian, the first one the header.
 *
 * <pre>
 *            63      32 31    24 23   16 15        8 7      0
 *   header  | ARGUMENT | VECTOR | WORDS | flags     | OPCODE |
 *                                         12 INTERRUPT
 *                                         11:10 DESTINATION, 9:8 SOURCE: address space
 *
 *   NOP     header, and as many words as WORDS says
 *   COPY    header | source address | destination address | bytes
 *   FILL    header | destination address | bytes              ARGUMENT: the pattern
 *   FENCE   header | destination address | value
 *   TRAP    header                                            ARGUMENT: for TRAP_VALUE
 * </pre>
 *
 * <p>A bit that a packet does not use must be 0.
 */
final class Packet {
    static final int WORD_BYTES = 8;
    static final int WORDS_SHIFT = 16;
    static final int VECTOR_SHIFT = 24;
    static final int ARGUMENT_SHIFT = 32;
    static final int SOURCE_SHIFT = 8;
    static final int DESTINATION_SHIFT = 10;

    static final long OPCODE = 0xFFL;
    static final long SOURCE = 3L << SOURCE_SHIFT;
    static final long DESTINATION = 3L << DESTINATION_SHIFT;
    static final long INTERRUPT = 1L << 12;
    static final long WORDS = 0xFFL << WORDS_SHIFT;
    static final long VECTOR = 0xFFL << VECTOR_SHIFT;
    static final long ARGUMENT = 0xFFFF_FFFFL << ARGUMENT_SHIFT;

    private Packet() {}

    static int opcode(long header) {
        return (int) (header & OPCODE);
    }

    static int words(long header) {
        return (int) (header >>> WORDS_SHIFT & 0xFF);
    }

    static int vector(long header) {
        return (int) (header >>> VECTOR_SHIFT & 0xFF);
    }

    static int argument(long header) {
        return (int) (header >>> ARGUMENT_SHIFT);
    }

    static int source(long header) {
        return (int) (header >>> SOURCE_SHIFT & 3);
    }

    static int destination(long header) {
        return (int) (header >>> DESTINATION_SHIFT & 3);
    }
}
