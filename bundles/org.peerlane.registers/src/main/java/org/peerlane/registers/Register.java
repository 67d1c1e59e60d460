package org.peerlane.registers;

import java.util.List;

/**
 * One register of a map. A device's map is an enum that implements this: one constant per register,
 * in the order of offsets, reserved bits included.
 *
 * <pre>{@code
 * //     offset bytes reset
 * CONTROL(0x00, 4, 0,
 *         rsvd(31, 1),
 *         rw(0, 0, "EN")),
 * }</pre>
 */
public interface Register {
    /** {@return the specification's spelling; an enum has it already} */
    String name();

    /** {@return where it starts: a multiple of 4, or of its width if that is less} */
    int offset();

    /** {@return its width: 4 or 8; in a {@link RegisterMap} also 1 or 2} */
    int bytes();

    /** {@return its value after a reset} */
    long reset();

    /** {@return every bit of it, highest first} */
    List<Field> fields();

    /**
     * {@return a field by name} For a {@code static final} of the map; searches.
     *
     * @throws IllegalArgumentException there is none
     */
    default Field field(String name) {
        for (Field field : fields()) {
            if (field.name().equals(name)) {
                return field;
            }
        }
        throw new IllegalArgumentException("register %s has no field %s".formatted(name(), name));
    }
}
