package org.peerlane.memory.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Where RAM is. As on a PC: from 0 to at most 3 GiB, and the rest from 4 GiB on, so that 32-bit
 * BARs have a place; and further ranges wherever a board wants them, up to 2^52.
 *
 * @param ranges by rising address, none touching the hole or another
 */
record RamLayout(List<AddressRange<PhysicalAddress>> ranges) {
    private static final long HOLE = 0xC000_0000L;
    private static final long ABOVE_HOLE = 1L << 32;
    private static final long PHYSICAL_END = 1L << 52; // x86-64: MAXPHYADDR is at most 52
    private static final int MAX_MIB = 1 << 20;

    /** A run of the largest order is aligned to its size, so a range has to be too. */
    private static final long ALIGNMENT = PhysicalMemory.PAGE_BYTES << PageAllocator.MAX_ORDER;

    private static final Pattern RANGE = Pattern.compile("(0[xX][0-9a-fA-F]{1,15})\\+([0-9]{1,9})");

    /**
     * Lays RAM out.
     *
     * @param ramMiB of the PC's part
     * @param more further ranges, each {@code address+MiB}, such as {@code 0x20000000000+1024}
     * @throws ErrnoException {@code EINVAL} it cannot be; the sentence says why
     */
    static RamLayout of(int ramMiB, List<String> more) {
        checkMiB(ramMiB, "RAM");
        long bytes = (long) ramMiB << 20;
        List<AddressRange<PhysicalAddress>> all = new ArrayList<>();
        long low = Math.min(bytes, HOLE);
        all.add(range(0, low));
        if (bytes > low) {
            all.add(range(ABOVE_HOLE, bytes - low));
        }
        for (String text : more) {
            AddressRange<PhysicalAddress> next = parse(text);
            for (AddressRange<PhysicalAddress> other : all) {
                if (other.overlaps(next)) {
                    throw bad(text, "%s is RAM already".formatted(other));
                }
            }
            all.add(next);
        }
        all.sort(Comparator.comparing(AddressRange::first));
        RamLayout layout = new RamLayout(List.copyOf(all));
        checkMiB(layout.bytes() >>> 20, "RAM in all");
        return layout;
    }

    private static AddressRange<PhysicalAddress> parse(String text) {
        Matcher matcher = RANGE.matcher(text.strip());
        if (!matcher.matches()) {
            throw bad(text, "expected address+MiB, such as 0x20000000000+1024");
        }
        long at = Long.decode(matcher.group(1));
        long mib = Long.parseLong(matcher.group(2));
        checkMiB(mib, "more RAM '%s'".formatted(text));
        if (at % ALIGNMENT != 0) {
            throw bad(text, "expected a multiple of 0x%x".formatted(ALIGNMENT));
        }
        AddressRange<PhysicalAddress> range = range(at, mib << 20);
        if (range.last().value() >= PHYSICAL_END) {
            throw bad(text, "expected an end at most at 0x%x".formatted(PHYSICAL_END));
        }
        if (range.overlaps(range(HOLE, ABOVE_HOLE - HOLE))) {
            throw bad(text, "0x%x-0x%x is for devices".formatted(HOLE, ABOVE_HOLE - 1));
        }
        return range;
    }

    private static void checkMiB(long mib, String what) {
        if (mib < 1 || mib > MAX_MIB) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s: %d MiB of RAM; expected 1 to %d".formatted(what, mib, MAX_MIB));
        }
    }

    private static AddressRange<PhysicalAddress> range(long at, long bytes) {
        return AddressRange.ofLength(new PhysicalAddress(at), bytes);
    }

    private static ErrnoException bad(String text, String why) {
        return new ErrnoException(Errno.EINVAL, "more RAM '%s': %s".formatted(text, why));
    }

    long bytes() {
        return ranges.stream().mapToLong(AddressRange::bytes).sum();
    }
}
