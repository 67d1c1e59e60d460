package org.peerlane.shell.pci;

import java.util.List;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Which functions {@code -s [[domain]:][bus]:[device][.[function]]} and {@code -d
 * [vendor]:[device][:class[:interface]]} select. A part that is left out, or a star, fits any.
 */
final class FunctionFilter {
    private static final int ANY = -1;

    private int segment = ANY;
    private int bus = ANY;
    private int device = ANY;
    private int number = ANY;
    private int vendorId = ANY;
    private int deviceId = ANY;
    private int classCode = ANY;
    private int classMask;
    private int interfaceCode = ANY;
    private String text = "";

    /** {@return whether any option has been taken} */
    boolean isSet() {
        return !text.isEmpty();
    }

    /** Takes the value of {@code -s} or {@code -d}. */
    void take(char option, String value) {
        if (option == 's') {
            slot(value);
        } else {
            id(value);
        }
        text = (text + " -" + option + " " + value).strip();
    }

    private void slot(String value) {
        String[] parts = value.split(":", -1);
        if (parts.length > 3) {
            throw bad('s', value);
        }
        String last = parts[parts.length - 1];
        if (parts.length == 3) {
            segment = hex('s', value, parts[0], 0xFFFF);
        }
        if (parts.length > 1) {
            bus = hex('s', value, parts[parts.length - 2], 0xFF);
        }
        int dot = last.indexOf('.');
        device = hex('s', value, dot < 0 ? last : last.substring(0, dot), 0x1F);
        if (dot >= 0) {
            number = hex('s', value, last.substring(dot + 1), 7);
        }
    }

    private void id(String value) {
        String[] parts = value.split(":", -1);
        if (parts.length < 2 || parts.length > 4) {
            throw bad('d', value);
        }
        vendorId = hex('d', value, parts[0], 0xFFFF);
        deviceId = hex('d', value, parts[1], 0xFFFF);
        if (parts.length > 2 && !parts[2].isEmpty() && !"*".equals(parts[2])) {
            // an x stands for any digit
            classCode = hex('d', value, parts[2].replaceAll("[xX]", "0"), 0xFFFF);
            classMask = 0;
            for (char digit : parts[2].toCharArray()) {
                classMask = classMask << 4 | (digit == 'x' || digit == 'X' ? 0 : 0xF);
            }
            classMask |= ~0 << 4 * parts[2].length();
        }
        if (parts.length > 3) {
            interfaceCode = hex('d', value, parts[3], 0xFF);
        }
    }

    private static int hex(char option, String whole, String part, int most) {
        if (part.isEmpty() || "*".equals(part)) {
            return ANY;
        }
        if (!part.matches("[0-9a-fA-F]{1,7}")) {
            throw bad(option, whole);
        }
        int value = Integer.parseInt(part, 16);
        if (value > most) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "-%s %s: 0x%x is too large; expected at most 0x%x"
                            .formatted(option, whole, value, most));
        }
        return value;
    }

    private static ErrnoException bad(char option, String value) {
        return new ErrnoException(
                Errno.EINVAL,
                "-%s '%s'; expected %s, in hex"
                        .formatted(
                                option,
                                value,
                                option == 's'
                                        ? "[[domain:]bus:]device[.function]"
                                        : "[vendor]:[device][:class[:interface]]"));
    }

    /** {@return whether a function is selected} */
    boolean matches(PcieFunction function) {
        PcieAddress address = function.address();
        return fits(segment, address.segment())
                && fits(bus, address.bus())
                && fits(device, address.device())
                && fits(number, address.function())
                && fits(vendorId, function.vendorId())
                && fits(deviceId, function.deviceId())
                && (classCode == ANY || ((classCode ^ function.classCode() >> 8) & classMask) == 0)
                && fits(interfaceCode, function.classCode() & 0xFF);
    }

    private static boolean fits(int wanted, int is) {
        return wanted == ANY || wanted == is;
    }

    /** {@return the functions that are selected, by address} */
    List<PcieFunction> of(List<PcieFunction> functions) {
        return functions.stream().filter(this::matches).toList();
    }

    /** {@return the options as they were given} */
    @Override
    public String toString() {
        return text;
    }
}
