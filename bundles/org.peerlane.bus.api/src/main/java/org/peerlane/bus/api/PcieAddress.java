package org.peerlane.bus.api;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Where a function is: segment, bus, device and function number, written {@code 0000:00:04.0} as
 * {@code lspci -D} does.
 *
 * @param segment 16 bits
 * @param bus 8 bits
 * @param device 5 bits
 * @param function 3 bits
 */
public record PcieAddress(int segment, int bus, int device, int function)
        implements Comparable<PcieAddress> {

    private static final Pattern TEXT =
            Pattern.compile("(?:([0-9a-fA-F]{4}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})\\.([0-7])");

    /**
     * @throws ErrnoException {@code EINVAL} a number out of its range
     */
    public PcieAddress {
        check("segment", segment, 0xFFFF);
        check("bus", bus, 0xFF);
        check("device", device, 0x1F);
        check("function", function, 7);
    }

    private static void check(String what, int value, int high) {
        if (value < 0 || value > high) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s 0x%x; expected 0 to 0x%x".formatted(what, value, high));
        }
    }

    /**
     * Reads {@code 00:04.0} or {@code 0000:00:04.0}.
     *
     * @throws ErrnoException {@code EINVAL} it is neither
     */
    public static PcieAddress parse(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "'%s' is no PCIe address; expected one like 00:04.0 or 0000:00:04.0"
                            .formatted(text));
        }
        int segment = m.group(1) == null ? 0 : Integer.parseInt(m.group(1), 16);
        return new PcieAddress(
                segment,
                Integer.parseInt(m.group(2), 16),
                Integer.parseInt(m.group(3), 16),
                Integer.parseInt(m.group(4)));
    }

    /** {@return the requester id that the function puts into its requests} */
    public int requesterId() {
        return bus << 8 | device << 3 | function;
    }

    @Override
    public int compareTo(PcieAddress other) {
        int bySegment = Integer.compare(segment, other.segment);
        return bySegment != 0 ? bySegment : Integer.compare(requesterId(), other.requesterId());
    }

    @Override
    public String toString() {
        return "%04x:%02x:%02x.%d".formatted(segment, bus, device, function);
    }
}
