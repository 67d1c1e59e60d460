package org.peerlane.device.gpu;

/**
 * Runs the packet that is next in the ring: checks its header, then does what it says. Whatever a
 * packet holds, the answer is an {@link Outcome}.
 *
 * <p><b>Threads.</b> The engine's. <b>Cost.</b> No allocation.
 */
final class PacketRunner {
    static final int NO_VECTOR = -1;

    private final CommandRing ring;
    private final Mover mover;
    private final Trouble trouble;
    private int vector = NO_VECTOR;
    private int opcode;
    private boolean trapped;
    private int argument;

    PacketRunner(CommandRing ring, Mover mover, Trouble trouble) {
        this.ring = ring;
        this.mover = mover;
        this.trouble = trouble;
    }

    /** {@return the interrupt that the last packet wants, or {@link #NO_VECTOR}} */
    int vector() {
        return vector;
    }

    /** {@return the opcode of the last packet, which may be none; 0 if it could not be read} */
    int opcode() {
        return opcode;
    }

    /** {@return whether the last packet was a TRAP} */
    boolean trapped() {
        return trapped;
    }

    /** {@return the value of the last TRAP} */
    int argument() {
        return argument;
    }

    /** Runs one packet; afterwards the ring stands behind it if it is DONE, and else before it. */
    Outcome run(long life, long tail) {
        vector = NO_VECTOR;
        trapped = false;
        opcode = 0;
        Outcome outcome = ring.have(life, tail, 1);
        if (outcome != Outcome.DONE) {
            return outcome;
        }
        long header = ring.word(0);
        opcode = Packet.opcode(header);
        Opcode kind = Opcode.of(opcode);
        if (kind == null) {
            return trouble.is(GpuError.BAD_OPCODE, 0);
        }
        int words = Packet.words(header);
        if (!kind.takes(words)) {
            return trouble.is(GpuError.BAD_LENGTH, 0);
        }
        if ((header & kind.reserved(header)) != 0) {
            return trouble.is(GpuError.RESERVED, 0);
        }
        outcome = ring.have(life, tail, words);
        if (outcome == Outcome.DONE) {
            outcome = run(life, kind, header);
        }
        if (outcome == Outcome.DONE) {
            ring.advance(words);
        }
        return outcome;
    }

    private Outcome run(long life, Opcode kind, long header) {
        return switch (kind) {
            case NOP -> Outcome.DONE;
            case COPY -> copy(life, header);
            case FILL -> fill(life, header);
            case FENCE -> fence(life, header);
            case TRAP -> trap(header);
        };
    }

    private Outcome copy(long life, long header) {
        Space source = Space.of(Packet.source(header));
        Space destination = Space.of(Packet.destination(header));
        return source == null || destination == null
                ? trouble.is(GpuError.RESERVED, 0)
                : mover.copy(life, source, ring.word(1), destination, ring.word(2), ring.word(3));
    }

    private Outcome fill(long life, long header) {
        Space destination = Space.of(Packet.destination(header));
        return destination == null
                ? trouble.is(GpuError.RESERVED, 0)
                : mover.fill(
                        life, destination, ring.word(1), ring.word(2), Packet.argument(header));
    }

    private Outcome fence(long life, long header) {
        Space destination = Space.of(Packet.destination(header));
        if (destination == null) {
            return trouble.is(GpuError.RESERVED, 0);
        }
        boolean interrupt = (header & Packet.INTERRUPT) != 0;
        if (interrupt && Packet.vector(header) >= GpuDevice.VECTORS) {
            return trouble.is(GpuError.VECTOR, Packet.vector(header));
        }
        Outcome outcome = mover.fence(life, destination, ring.word(1), ring.word(2));
        if (interrupt && outcome == Outcome.DONE) {
            vector = Packet.vector(header);
        }
        return outcome;
    }

    private Outcome trap(long header) {
        if (Packet.vector(header) >= GpuDevice.VECTORS) {
            return trouble.is(GpuError.VECTOR, Packet.vector(header));
        }
        vector = Packet.vector(header);
        trapped = true;
        argument = Packet.argument(header);
        return Outcome.DONE;
    }
}
