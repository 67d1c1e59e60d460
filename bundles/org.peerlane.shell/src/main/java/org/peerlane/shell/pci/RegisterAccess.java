package org.peerlane.shell.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.shell.pci.CapabilityList.Item;

/**
 * One operand of {@code setpci}: {@code BASE[+OFFSET][.WIDTH][@NUMBER][=VALUE[:MASK][,...]]}, a
 * read, or a write of one or more registers in a row.
 */
final class RegisterAccess {
    private static final Pattern SYNTAX =
            Pattern.compile("([^=@.+]+)(?:\\+([^=@.]*))?(?:\\.([^=@]*))?(?:@([^=]*))?(?:=(.*))?");

    private record Value(long bits, long mask) {}

    private final String text;
    private final Register register;
    private final int offset;
    private final int bytes;
    private final int number;
    private final List<Value> values = new ArrayList<>();

    /**
     * Reads it.
     *
     * @throws ErrnoException {@code EINVAL} it is wrong, whatever the function
     */
    RegisterAccess(String text) {
        this.text = text;
        Matcher m = SYNTAX.matcher(text);
        Register found = m.matches() ? Register.find(m.group(1)) : null;
        if (found == null) {
            throw bad(
                    "there is no register '%s'; setpci --dumpregs lists the names"
                            .formatted(m.matches() ? m.group(1) : text));
        }
        register = found;
        offset = found.offset() + (m.group(2) == null ? 0 : (int) hex("offset", m.group(2), 0xFFF));
        bytes = m.group(3) == null ? found.bytes() : width(m.group(3));
        if (bytes == 0) {
            throw bad("a width is missing; expected .b, .w or .l after " + m.group(1));
        }
        number = m.group(4) == null ? 0 : (int) hex("number", m.group(4), 0xFFFF);
        if (m.group(5) != null) {
            for (String value : m.group(5).split(",", -1)) {
                values.add(value(value));
            }
        }
        check(offset);
    }

    private int width(String letter) {
        return switch (letter.toLowerCase(Locale.ROOT)) {
            case "b" -> 1;
            case "w" -> 2;
            case "l" -> 4;
            default -> throw bad("width '%s'; expected b, w or l".formatted(letter));
        };
    }

    private Value value(String given) {
        long most = (1L << 8 * bytes) - 1;
        int colon = given.indexOf(':');
        if (colon < 0) {
            return new Value(hex("value", given, most), most);
        }
        long mask = hex("mask", given.substring(colon + 1), most);
        return new Value(hex("value", given.substring(0, colon), most) & mask, mask);
    }

    private long hex(String what, String given, long most) {
        String digits =
                given.startsWith("0x") || given.startsWith("0X") ? given.substring(2) : given;
        if (!digits.matches("[0-9a-fA-F]{1,15}")) {
            throw bad("%s '%s'; expected a number in hex".formatted(what, given));
        }
        long value = Long.parseLong(digits, 16);
        if (value > most) {
            throw bad("%s 0x%x is too large; expected at most 0x%x".formatted(what, value, most));
        }
        return value;
    }

    private void check(int address) {
        int count = Math.max(1, values.size());
        if (address + bytes * count > ConfigView.BYTES) {
            throw bad("register 0x%x is outside of config space".formatted(address));
        }
        if (address % bytes != 0) {
            throw bad("register 0x%x is not aligned to its width of %d".formatted(address, bytes));
        }
    }

    private ErrnoException bad(String why) {
        return new ErrnoException(Errno.EINVAL, "setpci %s: %s".formatted(text, why));
    }

    /**
     * {@return where it is in a function}
     *
     * @throws ErrnoException {@code EINVAL} it is not there
     */
    int locate(ConfigView config) {
        String address = config.function().address().toString();
        if (!register.isIn(config.headerType())) {
            throw bad(
                    "%s has no register %s: its header type is %02x"
                            .formatted(address, register.name(), config.headerType()));
        }
        int base = 0;
        if (register.space() != Register.Space.HEADER) {
            List<Item> all =
                    register.space() == Register.Space.CAPABILITY
                            ? CapabilityList.legacy(config)
                            : CapabilityList.extended(config);
            List<Item> same =
                    all.stream()
                            .filter(i -> i.flaw() == null && i.id() == register.capability())
                            .toList();
            if (number >= same.size()) {
                throw bad(
                        "%s has %s"
                                .formatted(
                                        address,
                                        same.isEmpty()
                                                ? "no capability " + register.name()
                                                : "only %d capabilities %s, and they count from 0"
                                                        .formatted(same.size(), register.name())));
            }
            base = same.get(number).offset();
        }
        check(base + offset);
        return base + offset;
    }

    /**
     * Does it.
     *
     * @param at what {@link #locate} answered
     * @param verbose says what is done
     * @param dry writes nothing
     */
    void run(Lines out, PcieFunction function, int at, boolean verbose, boolean dry) {
        String hex = "%0" + 2 * bytes + "x";
        if (verbose) {
            out.add("%s @%02x".formatted(function.address(), at));
        }
        if (values.isEmpty()) {
            long value = function.readConfig(at, bytes);
            out.add(verbose ? " = " : "").line(hex.formatted(value));
            return;
        }
        int address = at;
        for (Value value : values) {
            boolean all = value.mask == (1L << 8 * bytes) - 1;
            long old = all ? 0 : function.readConfig(address, bytes);
            long next = old & ~value.mask | value.bits;
            if (verbose) {
                String change = " %s->(%s:%s)->%s".replace("%s", hex);
                out.add(
                        all
                                ? " " + hex.formatted(next)
                                : change.formatted(old, value.bits, value.mask, next));
            }
            if (!dry) {
                function.writeConfig(address, bytes, next);
            }
            address += bytes;
        }
        if (verbose) {
            out.line("");
        }
    }
}
