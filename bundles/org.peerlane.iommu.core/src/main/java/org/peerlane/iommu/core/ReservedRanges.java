package org.peerlane.iommu.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.ReservedRange;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Iova;

/** Which IOVAs which function must not be given (iommufd-vfio.md, 4.10). Immutable. */
final class ReservedRanges {
    private static final ReservedRange MSI =
            range(0xFEE0_0000L, 0xFEEF_FFFFL, ReservedRange.Kind.MSI);

    /** AMD's, whatever the table format; Intel has none. */
    private static final ReservedRange HYPER_TRANSPORT =
            range(0xFD_0000_0000L, 0xFF_FFFF_FFFFL, ReservedRange.Kind.RESERVED);

    private final boolean amd;
    private final List<IommuSettings.FunctionRange> configured;

    ReservedRanges(IommuSettings settings) {
        amd = settings.format() == TableFormat.AMDV1;
        configured = settings.ranges();
    }

    private static ReservedRange range(long first, long last, ReservedRange.Kind kind) {
        return new ReservedRange(new AddressRange<>(new Iova(first), new Iova(last)), kind);
    }

    /** {@return those of a function, lowest first} */
    List<ReservedRange> of(PcieAddress function) {
        List<ReservedRange> all = new ArrayList<>();
        all.add(MSI);
        if (amd) {
            all.add(HYPER_TRANSPORT);
        }
        for (IommuSettings.FunctionRange one : configured) {
            if (one.function().equals("*") || one.function().equals(function.toString())) {
                all.add(one.reserved());
            }
        }
        all.sort(Comparator.comparing(one -> one.range().first()));
        return List.copyOf(all);
    }

    /** {@return whether a function must never be blocked (PT-71)} */
    boolean needsDirect(PcieAddress function) {
        return of(function).stream().anyMatch(one -> one.kind() == ReservedRange.Kind.DIRECT);
    }

    /**
     * Reads {@code <function or *> <kind> <first>-<last>}, such as {@code 0000:00:04.0 direct
     * 0x80000000-0x800fffff}.
     *
     * @throws ErrnoException {@code EINVAL} it is not of that form
     */
    static IommuSettings.FunctionRange parse(String text) {
        String[] parts = text.strip().split("\\s+", -1);
        String[] ends = parts.length == 3 ? parts[2].split("-", -1) : new String[0];
        if (ends.length != 2) {
            throw bad(text, null);
        }
        try {
            String function =
                    parts[0].equals("*") ? parts[0] : PcieAddress.parse(parts[0]).toString();
            ReservedRange.Kind kind =
                    ReservedRange.Kind.valueOf(parts[1].toUpperCase(Locale.ROOT).replace('-', '_'));
            return new IommuSettings.FunctionRange(
                    function, range(number(ends[0]), number(ends[1]), kind));
        } catch (IllegalArgumentException | ErrnoException e) {
            throw bad(text, e);
        }
    }

    private static long number(String text) {
        return text.startsWith("0x")
                ? Long.parseUnsignedLong(text.substring(2), 16)
                : Long.parseUnsignedLong(text);
    }

    private static ErrnoException bad(String text, @Nullable Throwable cause) {
        return new ErrnoException(
                Errno.EINVAL,
                ("reserved range '%s'; expected '<function or *> <direct|direct-relaxable|reserved"
                                + "|sw-msi> <first>-<last>'")
                        .formatted(text),
                cause);
    }
}
