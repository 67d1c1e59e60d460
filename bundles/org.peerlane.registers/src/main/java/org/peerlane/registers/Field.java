package org.peerlane.registers;

/**
 * Some neighbouring bits of a register, numbered as specifications print them: high first, both
 * inclusive.
 *
 * @param high highest bit, to 63
 * @param low lowest bit
 * @param name the specification's spelling
 * @param access what software may do with it
 */
public record Field(int high, int low, String name, Access access) {

    private static final String RESERVED = "-";

    /**
     * @throws IllegalArgumentException the bits are none, or the name is empty
     */
    public Field {
        if (low < 0 || high < low || high > 63) {
            throw new IllegalArgumentException(
                    "field %s has bits %d:%d; expected 63 >= high >= low >= 0"
                            .formatted(name, high, low));
        }
        if (name.isBlank()) {
            throw new IllegalArgumentException("field %d:%d has no name".formatted(high, low));
        }
    }

    /** {@return a field that software reads} */
    public static Field ro(int high, int low, String name) {
        return new Field(high, low, name, Access.RO);
    }

    /** {@return a field that software reads and writes} */
    public static Field rw(int high, int low, String name) {
        return new Field(high, low, name, Access.RW);
    }

    /** {@return a field whose bits software clears by writing ones} */
    public static Field w1c(int high, int low, String name) {
        return new Field(high, low, name, Access.W1C);
    }

    /** {@return a field that software writes and cannot read back} */
    public static Field wo(int high, int low, String name) {
        return new Field(high, low, name, Access.WO);
    }

    /** {@return a field that software reads, and that is sticky} */
    public static Field ros(int high, int low, String name) {
        return new Field(high, low, name, Access.ROS);
    }

    /** {@return a field that software reads and writes, and that is sticky} */
    public static Field rws(int high, int low, String name) {
        return new Field(high, low, name, Access.RWS);
    }

    /** {@return a sticky field whose bits software clears by writing ones} */
    public static Field w1cs(int high, int low, String name) {
        return new Field(high, low, name, Access.W1CS);
    }

    /** {@return reserved bits} */
    public static Field rsvd(int high, int low) {
        return new Field(high, low, RESERVED, Access.RSVD);
    }

    /** {@return ones where the field is} */
    public long mask() {
        return maximum() << low;
    }

    /** {@return the largest value that fits} */
    public long maximum() {
        return -1L >>> (63 - (high - low));
    }

    /** {@return the field's value in a register's} */
    public long get(long register) {
        return register >>> low & maximum();
    }

    /**
     * {@return the register's value with this field replaced}
     *
     * @throws IllegalArgumentException the value does not fit
     */
    public long set(long register, long value) {
        if (Long.compareUnsigned(value, maximum()) > 0) {
            throw new IllegalArgumentException(
                    "0x%x does not fit field %s of %d bits".formatted(value, name, high - low + 1));
        }
        return register & ~mask() | value << low;
    }
}
