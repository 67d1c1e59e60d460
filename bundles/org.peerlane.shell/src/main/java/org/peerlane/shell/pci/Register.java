package org.peerlane.shell.pci;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A register that {@code setpci} knows by name; the file {@code registers.txt} lists them.
 *
 * @param name as {@code setpci --dumpregs} prints it
 * @param space what {@code offset} counts from
 * @param capability the id, if it counts from a capability
 * @param offset in bytes
 * @param bytes 1, 2 or 4; 0: the name does not say
 * @param types the header types that have it, one bit each; 0: all
 */
record Register(String name, Space space, int capability, int offset, int bytes, int types) {
    /** What an offset counts from. */
    enum Space {
        HEADER,
        CAPABILITY,
        EXTENDED
    }

    private static final String FILE = "registers.txt";
    private static final String WIDTHS = "-BW?L";
    private static final List<Register> ALL = read();

    private static List<Register> read() {
        List<Register> registers = new ArrayList<>();
        for (String line : text().lines().toList()) {
            if (!line.startsWith("#")) {
                registers.add(parse(line));
            }
        }
        return registers;
    }

    private static String text() {
        try (InputStream in = Register.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("this bundle lacks " + FILE);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Register parse(String line) {
        String id = line.substring(0, 4).strip();
        String[] rest = line.substring(4).strip().split("\\s+", -1);
        Space space =
                id.isEmpty() ? Space.HEADER : id.length() == 2 ? Space.CAPABILITY : Space.EXTENDED;
        int types =
                switch (rest[3]) {
                    case "0" -> 1;
                    case "1" -> 2;
                    case "0,1" -> 3;
                    default -> 0;
                };
        return new Register(
                rest[2],
                space,
                id.isEmpty() ? 0 : Integer.parseInt(id, 16),
                Integer.parseInt(rest[0], 16),
                WIDTHS.indexOf(rest[1]),
                types);
    }

    /**
     * Finds what stands before a plus sign, a dot or an equals sign: a name in any case, an address
     * in hex, {@code CAP} or {@code ECAP} with an id in hex.
     *
     * @return null: it is none of them
     */
    static @Nullable Register find(String base) {
        if (base.matches("(0[xX])?[0-9a-fA-F]{1,7}")) {
            return new Register(base, Space.HEADER, 0, hex(base), 0, 0);
        }
        String name = base.toUpperCase(Locale.ROOT);
        for (Register register : ALL) {
            if (register.name.equals(name)) {
                return register;
            }
        }
        if (name.matches("CAP[0-9A-F]{1,2}")) {
            return new Register(name, Space.CAPABILITY, hex(name.substring(3)), 0, 0, 0);
        }
        if (name.matches("ECAP[0-9A-F]{1,4}")) {
            return new Register(name, Space.EXTENDED, hex(name.substring(4)), 0, 0, 0);
        }
        return null;
    }

    private static int hex(String text) {
        boolean prefixed = text.startsWith("0x") || text.startsWith("0X");
        return Integer.parseInt(prefixed ? text.substring(2) : text, 16);
    }

    /** {@return whether a function with a header of this type has it} */
    boolean isIn(int headerType) {
        return types == 0 || headerType < 2 && (types >> headerType & 1) != 0;
    }

    /** {@return what {@code setpci --dumpregs} prints} */
    static String dump() {
        Lines out = new Lines().line("cap pos w name");
        for (Register r : ALL) {
            out.add(
                    switch (r.space) {
                        case HEADER -> "    ";
                        case CAPABILITY -> "  %02x".formatted(r.capability);
                        case EXTENDED -> "%04x".formatted(r.capability);
                    });
            out.line(" %02x %s %s".formatted(r.offset, WIDTHS.charAt(r.bytes), r.name));
        }
        return out.toString();
    }
}
