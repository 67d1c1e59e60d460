package org.peerlane.shell.pci;

import java.util.ArrayList;
import java.util.List;

/**
 * Named bits of a register in the notation of lspci: the name, and {@code +} for 1 or {@code -} for
 * 0. The table names each bit's number: {@code "CorrErr=0 NonFatalErr=1"}.
 */
final class Flags {
    private record Bit(String name, int number) {}

    private final List<Bit> bits = new ArrayList<>();

    Flags(String table) {
        for (String entry : table.strip().split("\\s+", -1)) {
            int equals = entry.lastIndexOf('=');
            bits.add(
                    new Bit(
                            entry.substring(0, equals),
                            Integer.parseInt(entry.substring(equals + 1))));
        }
    }

    /** {@return all of them, with blanks between} */
    String of(long value) {
        StringBuilder text = new StringBuilder();
        for (Bit bit : bits) {
            if (!text.isEmpty()) {
                text.append(' ');
            }
            text.append(bit.name).append(sign(value, bit.number));
        }
        return text.toString();
    }

    /** {@return {@code +} or {@code -} for one bit} */
    static char sign(long value, int bit) {
        return (value >>> bit & 1) != 0 ? '+' : '-';
    }

    /** {@return the field of a value that begins at bit {@code low} and is {@code width} wide} */
    static int field(long value, int low, int width) {
        return (int) (value >>> low & (1L << width) - 1);
    }
}
