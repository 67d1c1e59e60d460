package org.peerlane.registers;

import java.util.List;

/** A {@link Register} whose enum keeps its declaration in one {@link Placement}. */
public interface PlacedRegister extends Register {
    /** {@return the declaration} */
    Placement placement();

    @Override
    default int offset() {
        return placement().offset();
    }

    @Override
    default int bytes() {
        return placement().bytes();
    }

    @Override
    default long reset() {
        return placement().reset();
    }

    @Override
    default List<Field> fields() {
        return placement().fields();
    }

    /**
     * Where a register is, what it resets to, and its bits.
     *
     * @param offset from the start of its map
     * @param bytes its width
     * @param reset its value after a reset
     * @param fields every bit of it, highest first
     */
    record Placement(int offset, int bytes, long reset, List<Field> fields) {
        /** Keeps a copy of the fields. */
        public Placement {
            fields = List.copyOf(fields);
        }

        /** {@return a placement} */
        public static Placement of(int offset, int bytes, long reset, Field... fields) {
            return new Placement(offset, bytes, reset, List.of(fields));
        }
    }
}
