package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A memory BAR as sizing has found it (PC-14).
 *
 * @param index its first register
 * @param bytes 0: 2^64, which nothing holds
 */
record SizedBar(int index, long bytes, boolean wide, boolean prefetchable) {
    private static final long ALL = 0xFFFF_FFFFL;

    /** {@return what a function has at a register and behind, the biggest first; decode is off} */
    static List<SizedBar> of(Endpoint function, int register) {
        List<SizedBar> bars = new ArrayList<>();
        for (int index = 0; index < Endpoint.BARS; index++) {
            long low = probe(function, register + index * 4);
            if (low == 0 || (low & 1) != 0) {
                continue; // none, or I/O space
            }
            boolean wide = (low & 6) == 4;
            long mask = low & ~0xFL;
            mask |= wide ? probe(function, register + index * 4 + 4) << 32 : ~ALL;
            bars.add(new SizedBar(index, -mask, wide, (low & 8) != 0));
            if (wide) {
                index++;
            }
        }
        bars.sort(
                Comparator.comparingLong((SizedBar bar) -> bar.bytes() ^ Long.MIN_VALUE)
                        .reversed()
                        .thenComparingInt(SizedBar::index));
        return bars;
    }

    private static long probe(Endpoint function, int register) {
        function.writeConfig(register, 4, ALL);
        return function.readConfig(register, 4);
    }
}
