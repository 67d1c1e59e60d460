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
    private static final int EXPRESS = 0x10;
    private static final int ARI = 0x000E;
    private static final int SR_IOV = 0x0010;
    private static final int DEVCTL2 = 0x28;
    private static final int ARI_FORWARDING = 1 << 5;

    /** Windows of ports are whole MiB (PC-42). */
    private static final long WINDOW_GRAIN = 1 << 20;

    private final Fabric fabric;
    private final Map<Bus, Apertures> apertures = new HashMap<>();
    private final IoSpace io;

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
        this.fabric = fabric;
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
        io = new IoSpace(fabric.hosts);
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
        boolean ari = forwardAri(function);
        assign(function, BAR0, 0, 1);
        io.assign(function);
        assignRom(function);
        int virtual = Capabilities.extended(function, SR_IOV);
        if (virtual != 0) {
            assignVirtual(function, virtual, ari);
        }
    }

    private void assignRom(Endpoint function) {
        long bytes = ExpansionRom.size(function);
        if (bytes > 0) {
            OptionalLong base = aperture(function, false).allocate(bytes, bytes);
            if (base.isEmpty()) {
                LOG.warn(
                        "{}: its ROM of 0x{} bytes has no address",
                        function,
                        Long.toHexString(bytes));
            }
            ExpansionRom.place(function, base.orElse(0));
        }
    }

    /** Lets the port above pass function numbers of 8 bits, if the function has them. */
    private static boolean forwardAri(Endpoint function) {
        Port above = function.bus().parent;
        if (above == null || function.number() != 0) {
            return false;
        }
        boolean has = Capabilities.extended(function, ARI) != 0;
        int control = Capabilities.legacy(above, EXPRESS) + DEVCTL2;
        long others = above.readConfig(control, 2) & ~ARI_FORWARDING;
        above.writeConfig(control, 2, others | (has ? ARI_FORWARDING : 0));
        return has;
    }

    /** Bus numbers and room for as many virtual functions as there can be (PC-34, PC-35). */
    private void assignVirtual(Endpoint function, int at, boolean ari) {
        function.writeConfig(at + 0x08, 2, ari ? 1 << 4 : 0);
        function.writeConfig(at + 0x20, 4, 1); // pages of 4 KiB
        int total = (int) function.readConfig(at + 0x0E, 2);
        long offset = function.readConfig(at + 0x14, 2);
        long stride = function.readConfig(at + 0x16, 2);
        long last = function.requesterId() + offset + (total - 1) * stride >>> 8;
        if (last > 0xFF || !BusRoom.extend(fabric, function.bus(), (int) last)) {
            LOG.warn(
                    "{}: no bus numbers up to 0x{} for {} virtual functions; those behind cannot"
                            + " be reached",
                    function,
                    Long.toHexString(last),
                    total);
        }
        assign(function, at + 0x24, Endpoint.BARS, total);
    }

    /**
     * Gives BARs their addresses.
     *
     * @param register where the first is
     * @param resource number of the first
     * @param copies how many of each follow one another
     */
    private void assign(Endpoint function, int register, int resource, int copies) {
        List<Sized> bars = size(function, register);
        bars.sort(
                Comparator.comparingLong((Sized bar) -> bar.bytes() ^ Long.MIN_VALUE)
                        .reversed()
                        .thenComparingInt(Sized::index));
        for (Sized bar : bars) {
            boolean above = bar.wide() && bar.prefetchable();
            OptionalLong base =
                    bar.bytes() > 0 && bar.bytes() <= Long.MAX_VALUE / copies
                            ? aperture(function, above).allocate(bar.bytes() * copies, bar.bytes())
                            : OptionalLong.empty();
            if (base.isEmpty()) {
                LOG.warn(
                        "{}: {}BAR {} of 0x{} bytes has no address: no room {} 4 GiB",
                        function,
                        resource == 0 ? "" : "VF ",
                        bar.index(),
                        Long.toHexString(bar.bytes()),
                        above ? "above" : "below");
            }
            place(function, register, bar, base.orElse(0));
            function.bars().place(resource + bar.index(), base.orElse(0));
        }
    }

    private Aperture aperture(Endpoint function, boolean above) {
        Apertures all = apertures.get(function.bus());
        if (all == null) {
            throw new IllegalStateException(function + " sits on a bus that nobody enumerated");
        }
        return above ? all.high() : all.low();
    }

    private static List<Sized> size(Endpoint function, int register) {
        List<Sized> bars = new ArrayList<>();
        for (int index = 0; index < Endpoint.BARS; index++) {
            long low = probe(function, register + index * 4);
            if (low == 0 || (low & 1) != 0) {
                continue; // none, or I/O space
            }
            boolean wide = (low & 6) == 4;
            long mask = low & ~0xFL;
            mask |= wide ? probe(function, register + index * 4 + 4) << 32 : ~ALL;
            bars.add(new Sized(index, -mask, wide, (low & 8) != 0));
            if (wide) {
                index++;
            }
        }
        return bars;
    }

    private static long probe(Endpoint function, int register) {
        function.writeConfig(register, 4, ALL);
        return function.readConfig(register, 4);
    }

    private static void place(Endpoint function, int first, Sized bar, long base) {
        int register = first + bar.index() * 4;
        function.writeConfig(register, 4, base);
        if (bar.wide()) {
            function.writeConfig(register + 4, 4, base >>> 32);
        }
    }

    /** Takes the addresses of a function back. */
    void release(Endpoint function) {
        io.release(function);
        for (long base : function.bars().places()) {
            Aperture low = aperture(function, false);
            (low.contains(base) ? low : aperture(function, true)).free(base);
        }
    }
}
