package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Sizes the BARs of a function and gives them addresses, as the operating system does: through
 * config space, with decode off (PC-14, PC-16). 64-bit prefetchable BARs go above 512 GiB, all
 * others below 4 GiB (PC-44).
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class Enumerator {
    private static final Logger LOG = LogManager.getLogger(Enumerator.class);
    private static final long ALL = 0xFFFF_FFFFL;

    private final AddressWindow low = new AddressWindow(0xC000_0000L, 0xFEBF_FFFFL);
    private final AddressWindow high = new AddressWindow(0x80_0000_0000L, 0xFFF_FFFF_FFFFL);

    Enumerator(PhysicalMemory memory) {
        for (MemoryRegion region : memory.regions()) {
            AddressRange<PhysicalAddress> range = region.range();
            low.reserve(range.first().value(), range.last().value());
            high.reserve(range.first().value(), range.last().value());
        }
    }

    /**
     * A BAR as sizing found it.
     *
     * @param index its first register
     * @param bytes 0: 2^64, which nothing holds
     */
    private record Sized(int index, long bytes, boolean wide, boolean prefetchable) {}

    /** Gives every BAR an address that fits; one that does not fit stays without. */
    void assign(Endpoint function) {
        function.writeConfig(Type0.COMMAND, 2, 0);
        List<Sized> bars = size(function);
        bars.sort(
                Comparator.comparingLong((Sized bar) -> bar.bytes() ^ Long.MIN_VALUE)
                        .reversed()
                        .thenComparingInt(Sized::index));
        for (Sized bar : bars) {
            AddressWindow window = bar.wide() && bar.prefetchable() ? high : low;
            OptionalLong base =
                    bar.bytes() > 0 ? window.allocate(bar.bytes()) : OptionalLong.empty();
            if (base.isEmpty()) {
                LOG.warn(
                        "{} ({}): BAR {} of 0x{} bytes has no address: no room {} 4 GiB",
                        function.address(),
                        function.slot(),
                        bar.index(),
                        Long.toHexString(bar.bytes()),
                        window == low ? "below" : "above");
            }
            place(function, bar, base.orElse(0));
        }
    }

    private static List<Sized> size(Endpoint function) {
        List<Sized> bars = new ArrayList<>();
        for (int index = 0; index < Type0.BARS; index++) {
            long low = probe(function, index);
            if (low == 0) {
                continue;
            }
            boolean wide = (low & 6) == 4;
            long mask = low & ~0xFL;
            mask |= wide ? probe(function, index + 1) << 32 : ~ALL;
            bars.add(new Sized(index, -mask, wide, (low & 8) != 0));
            if (wide) {
                index++;
            }
        }
        return bars;
    }

    private static long probe(Endpoint function, int index) {
        int register = Type0.BAR0 + index * 4;
        function.writeConfig(register, 4, ALL);
        return function.readConfig(register, 4);
    }

    private static void place(Endpoint function, Sized bar, long base) {
        int register = Type0.BAR0 + bar.index() * 4;
        function.writeConfig(register, 4, base);
        if (bar.wide()) {
            function.writeConfig(register + 4, 4, base >>> 32);
        }
        function.resource(bar.index(), base);
    }

    /** Takes the addresses of a function back. */
    void release(Endpoint function) {
        for (long base : function.resources()) {
            if (low.contains(base)) {
                low.free(base);
            } else if (high.contains(base)) {
                high.free(base);
            }
        }
    }
}
