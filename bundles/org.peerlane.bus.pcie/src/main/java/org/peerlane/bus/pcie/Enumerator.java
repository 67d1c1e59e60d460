package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Numbers the buses, sizes the BARs of what comes and gives them addresses, and opens the windows
 * of the ports above, as the operating system does: through config space, with decode off (PC-14,
 * PC-16). 64-bit prefetchable BARs go above 4 GiB, all others below (PC-44).
 *
 * <p><b>Threads.</b> The life-cycle thread only, after the constructor.
 */
final class Enumerator {
    private static final Logger LOG = LogManager.getLogger(Enumerator.class);
    private static final long ALL = 0xFFFF_FFFFL;
    private static final int BAR0 = 0x10;

    /** Windows of ports are whole MiB (PC-42). */
    private static final long WINDOW_GRAIN = 1 << 20;

    private final Map<Bus, Apertures> apertures = new HashMap<>();

    /** The two kinds of addresses that a bus has. */
    private record Apertures(Aperture low, Aperture high) {}

    /**
     * A BAR as sizing found it.
     *
     * @param index its first register
     * @param bytes 0: 2^64, which nothing holds
     */
    private record Sized(int index, long bytes, boolean wide, boolean prefetchable) {}

    Enumerator(Fabric fabric, PhysicalMemory memory) {
        for (HostBridge host : fabric.hosts) {
            HostBridgeConfig config = host.config();
            new BusNumbers(fabric.config, host, fabric.iommuDeclared).scan(config.firstBus());
            long offset = host.offset();
            Aperture low = Aperture.fixed(config.lowFirst() + offset, config.lowLast() + offset);
            Aperture high = Aperture.fixed(config.highFirst() + offset, config.highLast() + offset);
            for (MemoryRegion region : memory.regions()) {
                AddressRange<PhysicalAddress> range = region.range();
                low.reserve(range.first().value() + offset, range.last().value() + offset);
                high.reserve(range.first().value() + offset, range.last().value() + offset);
            }
            adopt(host.root(), new Apertures(low, high));
        }
        fabric.readdressed();
    }

    private void adopt(Bus bus, Apertures mine) {
        apertures.put(bus, mine);
        for (BusFunction member : bus.members()) {
            if (member instanceof Port port) {
                adopt(
                        port.secondary(),
                        new Apertures(
                                mine.low().below(WINDOW_GRAIN, a -> low(port, a)),
                                mine.high().below(WINDOW_GRAIN, a -> high(port, a))));
            }
        }
    }

    private static void low(Port port, Aperture now) {
        long base = now.isOpen() ? now.first() >>> 16 & 0xFFF0 : 0xFFF0;
        long limit = now.isOpen() ? now.last() >>> 16 & 0xFFF0 : 0;
        port.writeConfig(Bridge.MEMORY_BASE, 4, limit << 16 | base);
    }

    /** As Linux does: closed while the halves disagree. */
    private static void high(Port port, Aperture now) {
        port.writeConfig(Bridge.PREFETCH_LIMIT_HIGH, 4, 0);
        long base = now.isOpen() ? now.first() >>> 16 & 0xFFF0 : 0xFFF0;
        long limit = now.isOpen() ? now.last() >>> 16 & 0xFFF0 : 0;
        port.writeConfig(Bridge.PREFETCH_BASE, 4, limit << 16 | base);
        port.writeConfig(Bridge.PREFETCH_BASE_HIGH, 4, now.isOpen() ? now.first() >>> 32 : ALL);
        port.writeConfig(Bridge.PREFETCH_LIMIT_HIGH, 4, now.isOpen() ? now.last() >>> 32 : 0);
    }

    /** Gives every BAR an address that fits; one that does not fit stays without. */
    void assign(Endpoint function) {
        function.writeConfig(BusFunction.COMMAND, 2, 0);
        List<Sized> bars = size(function);
        bars.sort(
                Comparator.comparingLong((Sized bar) -> bar.bytes() ^ Long.MIN_VALUE)
                        .reversed()
                        .thenComparingInt(Sized::index));
        for (Sized bar : bars) {
            boolean above = bar.wide() && bar.prefetchable();
            OptionalLong base =
                    bar.bytes() > 0
                            ? aperture(function, above).allocate(bar.bytes(), bar.bytes())
                            : OptionalLong.empty();
            if (base.isEmpty()) {
                LOG.warn(
                        "{}: BAR {} of 0x{} bytes has no address: no room {} 4 GiB",
                        function,
                        bar.index(),
                        Long.toHexString(bar.bytes()),
                        above ? "above" : "below");
            }
            place(function, bar, base.orElse(0));
        }
    }

    private Aperture aperture(Endpoint function, boolean above) {
        Apertures all = apertures.get(function.bus());
        if (all == null) {
            throw new IllegalStateException(function + " sits on a bus that nobody enumerated");
        }
        return above ? all.high() : all.low();
    }

    private static List<Sized> size(Endpoint function) {
        List<Sized> bars = new ArrayList<>();
        for (int index = 0; index < Endpoint.BARS; index++) {
            long low = probe(function, index);
            if (low == 0 || (low & 1) != 0) {
                continue; // none, or I/O space, which the machine has not
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
        int register = BAR0 + index * 4;
        function.writeConfig(register, 4, ALL);
        return function.readConfig(register, 4);
    }

    private static void place(Endpoint function, Sized bar, long base) {
        int register = BAR0 + bar.index() * 4;
        function.writeConfig(register, 4, base);
        if (bar.wide()) {
            function.writeConfig(register + 4, 4, base >>> 32);
        }
        function.resource(bar.index(), base);
    }

    /** Takes the addresses of a function back. */
    void release(Endpoint function) {
        for (long base : function.resources()) {
            Aperture low = aperture(function, false);
            (low.contains(base) ? low : aperture(function, true)).free(base);
        }
    }
}
