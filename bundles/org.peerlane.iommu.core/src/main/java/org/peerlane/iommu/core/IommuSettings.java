package org.peerlane.iommu.core;

import java.util.Arrays;
import java.util.List;
import org.peerlane.iommu.api.ReservedRange;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What a board says about its IOMMU.
 *
 * @param format of the domains that the DMA API uses
 * @param inputBits how wide an IOVA may be; 0: as wide as the format goes
 * @param outputBits how wide a physical address may be
 * @param mode how the DMA API works
 * @param interruptRemapping whether interrupt messages pass a table (IM-9)
 * @param faultSlots fault records of the hardware (IM-7)
 * @param atsTimeoutNanos how long a device TLB has for an invalidation
 * @param ranges reserved ranges besides those of the architecture
 */
public record IommuSettings(
        TableFormat format,
        int inputBits,
        int outputBits,
        Mode mode,
        boolean interruptRemapping,
        int faultSlots,
        long atsTimeoutNanos,
        List<FunctionRange> ranges) {

    /** How the DMA API works. */
    public enum Mode {
        /** An unmap returns after the flush. */
        STRICT,
        /** An unmap returns before the flush, which comes at most 10 ms later. */
        LAZY,
        /** Addresses are physical. */
        PASSTHROUGH
    }

    /**
     * A reserved range of one function.
     *
     * @param function its address, or {@code *} for all
     */
    public record FunctionRange(String function, ReservedRange reserved) {}

    /**
     * @throws ErrnoException {@code EINVAL} a number out of its range
     */
    public IommuSettings {
        check("inputBits", inputBits, 0, 64);
        check("outputBits", outputBits, 32, 52);
        check("faultSlots", faultSlots, 2, 1 << 16);
        if (atsTimeoutNanos <= 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "ATS time-out of " + atsTimeoutNanos + " ns; expected 1 or more");
        }
        ranges = List.copyOf(ranges);
    }

    /**
     * {@return what a configuration says}
     *
     * @throws ErrnoException {@code EINVAL} a value that is not among those of its key
     */
    static IommuSettings of(IommuConfig config) {
        return new IommuSettings(
                format(config.format()),
                config.inputBits(),
                config.outputBits(),
                mode(config.mode()),
                config.interruptRemapping(),
                config.faultSlots(),
                config.atsTimeoutMs() * 1_000_000L,
                Arrays.stream(config.reserved()).map(ReservedRanges::parse).toList());
    }

    private static TableFormat format(String text) {
        return switch (text) {
            case "amdv1" -> TableFormat.AMDV1;
            case "vtd" -> TableFormat.VTD_SECOND_STAGE;
            case "x86-64" -> TableFormat.X86_64;
            default -> throw unknown("format", text, "amdv1, vtd or x86-64");
        };
    }

    private static Mode mode(String text) {
        return switch (text) {
            case "strict" -> Mode.STRICT;
            case "lazy" -> Mode.LAZY;
            case "passthrough" -> Mode.PASSTHROUGH;
            default -> throw unknown("mode", text, "strict, lazy or passthrough");
        };
    }

    private static ErrnoException unknown(String key, String text, String expected) {
        return new ErrnoException(
                Errno.EINVAL, "%s '%s'; expected %s".formatted(key, text, expected));
    }

    private static void check(String key, int value, int low, int high) {
        if (value < low || value > high) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s %d; expected %d to %d".formatted(key, value, low, high));
        }
    }

    /** {@return strict, with tables of one format and everything else as usual} */
    public static IommuSettings of(TableFormat format, Mode mode) {
        return new IommuSettings(format, 0, 52, mode, false, 64, 1_000_000_000L, List.of());
    }
}
