package org.peerlane.registers;

/**
 * Some bits of a register.
 *
 * @param high the highest bit
 * @param low the lowest bit
 * @param name as the specification spells it; empty for reserved bits
 * @param access what software may do with it
 */
public record Field(int high, int low, String name, Access access) {

    /** What software may do with a field. */
    public enum Access {
        /** Read only. */
        RO,
        /** Read and write. */
        RW,
        /** Reads as it is; writing 1 clears. */
        W1C,
        /** Writes go to the device, reads give 0. */
        WO,
        /** Reserved: reads 0, writes are ignored. */
        RSVD
    }

    /**
     * @throws IllegalArgumentException bits out of 63 to 0, or a field without a name
     */
    public Field {
        if (low < 0 || high < low || high > 63) {
            throw new IllegalArgumentException(
                    "field '%s' of bits %d:%d".formatted(name, high, low));
        }
        if (name.isEmpty() != (access == Access.RSVD)) {
            throw new IllegalArgumentException(
                    "bits %d:%d: reserved bits have no name, all others have one"
                            .formatted(high, low));
        }
    }

    /** {@return a read-only field} */
    public static Field ro(int high, int low, String name) {
        return new Field(high, low, name, Access.RO);
    }

    /** {@return a field that can be read and written} */
    public static Field rw(int high, int low, String name) {
        return new Field(high, low, name, Access.RW);
    }

    /** {@return a field whose bits are cleared by writing 1} */
    public static Field w1c(int high, int low, String name) {
        return new Field(high, low, name, Access.W1C);
    }

    /** {@return a field that can only be written} */
    public static Field wo(int high, int low, String name) {
        return new Field(high, low, name, Access.WO);
    }

    /** {@return reserved bits} */
    public static Field rsvd(int high, int low) {
        return new Field(high, low, "", Access.RSVD);
    }

    /** {@return ones where the field is} */
    public long mask() {
        return (-1L >>> (63 - (high - low))) << low;
    }

    /** {@return the field's value in a register's value} */
    public long get(long register) {
        return (register & mask()) >>> low;
    }

    /**
     * {@return the register's value with the field replaced}
     *
     * @param value bits that do not fit are dropped
     */
    public long set(long register, long value) {
        return (register & ~mask()) | ((value << low) & mask());
    }
}
