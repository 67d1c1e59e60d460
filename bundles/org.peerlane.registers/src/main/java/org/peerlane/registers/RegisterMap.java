package org.peerlane.registers;

import java.util.Arrays;
import java.util.List;

/**
 * A checked map whose bits are kept elsewhere, such as in config space: registers of 1, 2, 4 or 8
 * bytes, each naturally aligned or, if it has 8, at a multiple of 4. Immutable.
 *
 * @param <E> the map
 */
public final class RegisterMap<E extends Enum<E> & Register> {
    private final List<E> registers;

    /**
     * Checks a map.
     *
     * @param map the registers
     * @param windowBytes how far the map may reach
     * @throws IllegalArgumentException as {@link RegisterFile} throws, but for the narrow widths
     */
    public RegisterMap(Class<E> map, int windowBytes) {
        registers = List.copyOf(Arrays.asList(map.getEnumConstants()));
        int end = 0;
        String before = "";
        for (E register : registers) {
            RegisterCheck.checkNarrow(register, windowBytes);
            if (register.offset() < end) {
                throw new IllegalArgumentException(
                        "register %s at 0x%x is not after %s"
                                .formatted(register.name(), register.offset(), before));
            }
            end = register.offset() + register.bytes();
            before = register.name();
        }
    }

    /** {@return the registers, by rising offset} */
    public List<E> registers() {
        return registers;
    }

    /** {@return the map as a table, to be laid beside the specification} */
    @Override
    public String toString() {
        return RegisterTable.of(registers);
    }
}
