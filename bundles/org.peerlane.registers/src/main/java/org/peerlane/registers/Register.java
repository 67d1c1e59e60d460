package org.peerlane.registers;

import java.util.List;

/**
 * A register: what the constants of a device's register enum implement.
 *
 * <pre>{@code
 * enum EduRegister implements Register {
 *     STATUS(0x20, 4, 0,
 *             rsvd(31, 8),
 *             rw(7, 7, "IRQ_FACTORIAL"),
 *             rsvd(6, 1),
 *             ro(0, 0, "COMPUTING"));
 *     ...
 * }
 * }</pre>
 */
public interface Register {
    /** {@return the constant's name, which {@link Enum} provides} */
    String name();

    /** {@return where it starts, a multiple of its size} */
    int offset();

    /** {@return its size: 1, 2, 4 or 8} */
    int bytes();

    /** {@return its value after reset} */
    long reset();

    /** {@return its fields from the highest down; they cover every bit, reserved ones included} */
    List<Field> fields();

    /**
     * Finds a field; ask once and keep it.
     *
     * @throws IllegalArgumentException there is none of that name
     */
    default Field field(String name) {
        for (Field field : fields()) {
            if (field.name().equals(name)) {
                return field;
            }
        }
        throw new IllegalArgumentException("register " + name() + " has no field " + name);
    }
}
