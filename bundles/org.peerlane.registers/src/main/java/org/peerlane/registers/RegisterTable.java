package org.peerlane.registers;

import java.util.List;

/** Prints a map, one line per register and one per field. */
final class RegisterTable {
    private RegisterTable() {}

    static String of(List<? extends Register> registers) {
        int width = "register".length();
        for (Register register : registers) {
            width = Math.max(width, register.name().length());
        }
        StringBuilder out = new StringBuilder();
        Line line = new Line(out, width);
        line.add("offset", "bytes", "reset", "register", "bits", "access", "field");
        for (Register register : registers) {
            String reset = "%016x".formatted(register.reset());
            line.add(
                    "0x%04x".formatted(register.offset()),
                    Integer.toString(register.bytes()),
                    "0x" + reset.substring(16 - register.bytes() * 2),
                    register.name(),
                    "",
                    "",
                    "");
            for (Field field : register.fields()) {
                String bits = "%d:%d".formatted(field.high(), field.low());
                line.add("", "", "", "", bits, field.access().toString(), field.name());
            }
        }
        return out.toString();
    }

    /** Puts cells into columns. */
    private record Line(StringBuilder out, int nameWidth) {
        void add(
                String offset,
                String bytes,
                String reset,
                String register,
                String bits,
                String access,
                String field) {
            String name = register + " ".repeat(nameWidth - register.length());
            out.append(
                            "%-6s  %-5s  %-18s  %s  %-5s  %-6s  %s"
                                    .formatted(offset, bytes, reset, name, bits, access, field)
                                    .stripTrailing())
                    .append('\n');
        }
    }
}
