package org.peerlane.device.gpu;

import java.util.Map;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The memory that one card has, and what of it the bus sees. With less visible than there is, the
 * card is one with a small BAR: the rest of the VRAM is for its engine only.
 *
 * @param vramBytes all of it
 * @param visibleBytes size of the BAR after a reset; the BAR always starts at VRAM offset 0
 * @param resizable software may give the BAR any power of two from 1 MiB to all of the VRAM
 */
record GpuBoard(long vramBytes, long visibleBytes, boolean resizable) {
    static final int VRAM_MIB = 64;
    static final int ALL_VISIBLE = 0;
    static final long MIB = 1 << 20;

    private static final int MAX_MIB = 4096;

    /**
     * {@return what the options of a slot say}
     *
     * @throws ErrnoException {@code EINVAL} they say something that no card has
     */
    static GpuBoard of(Map<String, Object> options) {
        long vram = powerOfTwo("vramMiB", options.getOrDefault("vramMiB", VRAM_MIB));
        Object asked = options.getOrDefault("visibleMiB", ALL_VISIBLE);
        long visible = isZero(asked) ? vram : powerOfTwo("visibleMiB", asked);
        if (visible > vram) {
            throw invalid(
                    "visibleMiB is %d; vramMiB is %d, and no more can be seen"
                            .formatted(visible, vram));
        }
        Object resizable = options.getOrDefault("resizableBar", true);
        if (!(resizable instanceof Boolean flag)) {
            throw invalid("resizableBar is %s; expected true or false".formatted(resizable));
        }
        return new GpuBoard(vram * MIB, visible * MIB, flag);
    }

    /** {@return the sizes that the BAR may have, ORed} */
    long sizes() {
        return resizable ? 2 * vramBytes - MIB : visibleBytes;
    }

    private static boolean isZero(Object value) {
        return value instanceof Number number && number.longValue() == ALL_VISIBLE;
    }

    private static long powerOfTwo(String option, Object value) {
        if (!(value instanceof Number number)
                || number.longValue() < 1
                || number.longValue() > MAX_MIB
                || Long.bitCount(number.longValue()) != 1) {
            throw invalid(
                    "%s is %s; expected a power of two from 1 to %d"
                            .formatted(option, value, MAX_MIB));
        }
        return number.longValue();
    }

    private static ErrnoException invalid(String sentence) {
        return new ErrnoException(Errno.EINVAL, sentence);
    }
}
