package org.peerlane.bus.pcie;

import java.util.HashMap;
import java.util.Map;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Numbers the buses, opens the windows of hot-plug slots, sizes the BARs of what comes and gives
 * them addresses, as the operating system does: through config space, with decode off (PC-14,
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
    private final Placement placement;
    private final Map<Bus, Apertures> apertures = new HashMap<>();
    private final IoSpace io;

    /** The two kinds of addresses that a bus has. */
    private record Apertures(Aperture low, Aperture high) {}

    /**
     * @param rebalance see {@link Placement}
     */
    Enumerator(Fabric fabric, PhysicalMemory memory, boolean rebalance) {
        this.fabric = fabric;
        placement = new Placement(fabric, rebalance);
        for (HostBridge host : fabric.hosts) {
            HostBridgeConfig config = host.config();
            new BusNumbers(fabric.config, host, fabric.iommuDeclared).scan(config.firstBus());
            long offset = host.offset();
            Aperture low =
                    Aperture.fixed(
                            host + " below 4 GiB",
                            config.lowFirst() + offset,
                            config.lowLast() + offset);
            Aperture high =
                    Aperture.fixed(
                            host + " above 4 GiB",
                            config.highFirst() + offset,
                            config.highLast() + offset);
            for (MemoryRegion region : memory.regions()) {
                AddressRange<PhysicalAddress> range = region.range();
                low.exclude(range.first().value() + offset, range.last().value() + offset);
                high.exclude(range.first().value() + offset, range.last().value() + offset);
            }
            adopt(host.root(), new Apertures(low, high));
        }
        io = new IoSpace(fabric.hosts);
        fabric.readdressed();
        for (HostBridge host : fabric.hosts) {
            Apertures all = of(host.root());
            placement.reserve(all.low());
            placement.reserve(all.high());
        }
    }

    private void adopt(Bus bus, Apertures mine) {
        apertures.put(bus, mine);
        for (BusFunction member : bus.members()) {
            if (member instanceof Port port) {
                adopt(
                        port.secondary(),
                        new Apertures(
                                mine.low()
                                        .below(
                                                port,
                                                WINDOW_GRAIN,
                                                port.memoryReserve(),
                                                a -> low(port, a)),
                                mine.high()
                                        .below(
                                                port,
                                                WINDOW_GRAIN,
                                                port.prefetchReserve(),
                                                a -> high(port, a))));
            }
        }
    }

    private Apertures of(Bus bus) {
        Apertures all = apertures.get(bus);
        if (all == null) {
            throw new IllegalStateException("nobody has enumerated the bus below " + bus.parent);
        }
        return all;
    }

    private static void low(Port port, Aperture now) {
        long base = now.isOpen() ? now.first() >>> 16 & 0xFFF0 : 0xFFF0;
        long limit = now.isOpen() ? now.last() >>> 16 & 0xFFF0 : 0;
        port.writeConfig(Bridge.MEMORY_BASE, 4, limit << 16 | base);
    }

    /**
     * One that only grows stays open on the way; all others are closed while the halves disagree,
     * as Linux does it.
     */
    private static void high(Port port, Aperture now) {
        long base = now.isOpen() ? now.first() >>> 16 & 0xFFF0 : 0xFFF0;
        long limit = now.isOpen() ? now.last() >>> 16 & 0xFFF0 : 0;
        PortState was = port.state();
        boolean grows =
                now.isOpen()
                        && was.prefetchFirst() == now.first()
                        && was.prefetchLast() >= was.prefetchFirst()
                        && was.prefetchLast() <= now.last();
        if (grows && was.prefetchLast() >>> 32 == now.last() >>> 32) {
            port.writeConfig(Bridge.PREFETCH_BASE, 4, limit << 16 | base);
            return;
        }
        if (grows && limit == 0xFFF0) {
            port.writeConfig(Bridge.PREFETCH_BASE, 4, limit << 16 | base);
            port.writeConfig(Bridge.PREFETCH_LIMIT_HIGH, 4, now.last() >>> 32);
            return;
        }
        port.writeConfig(Bridge.PREFETCH_LIMIT_HIGH, 4, 0);
        port.writeConfig(Bridge.PREFETCH_BASE, 4, limit << 16 | base);
        port.writeConfig(Bridge.PREFETCH_BASE_HIGH, 4, now.isOpen() ? now.first() >>> 32 : ALL);
        port.writeConfig(Bridge.PREFETCH_LIMIT_HIGH, 4, now.isOpen() ? now.last() >>> 32 : 0);
    }

    Placement placement() {
        return placement;
    }

    /**
     * Gives every BAR an address; one that finds none stays without.
     *
     * @param boot it is the first device of its slot
     */
    void assign(Endpoint function, Standstill standstill, boolean boot) {
        function.writeConfig(BusFunction.COMMAND, 2, 0);
        boolean ari = forwardAri(function);
        Apertures from = of(function.bus());
        claim(function, from, BAR0, 0, 1); // sizes I/O BARs too: they get ports afterwards
        claimRom(function, from);
        io.assign(function);
        int virtual = Capabilities.extended(function, SR_IOV);
        if (virtual != 0) {
            int total = numberVirtual(function, virtual, ari);
            claim(function, from, virtual + 0x24, Endpoint.BARS, total);
        }
        placement.settle(function, standstill, boot);
    }

    /**
     * @param register where the first BAR is
     * @param resource number of the first
     * @param copies how many of each follow one another
     */
    private void claim(Endpoint function, Apertures from, int register, int resource, int copies) {
        for (SizedBar bar : SizedBar.of(function, register)) {
            Aperture aperture = bar.wide() && bar.prefetchable() ? from.high() : from.low();
            placement.add(new Claim(function, aperture, bar, register, resource, copies));
        }
    }

    private void claimRom(Endpoint function, Apertures from) {
        long bytes = ExpansionRom.size(function);
        if (bytes > 0) {
            SizedBar rom = new SizedBar(0, bytes, false, false);
            int register = ExpansionRom.REGISTER;
            placement.add(
                    new Claim(function, from.low(), rom, register, EndpointBars.ROM_PLACE, 1));
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

    /** Bus numbers for as many virtual functions as there can be (PC-34). {@return how many} */
    private int numberVirtual(Endpoint function, int at, boolean ari) {
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
        return total;
    }

    /** Takes the addresses of a function back. */
    void release(Endpoint function) {
        io.release(function);
        placement.release(function);
    }

    /** Tells the ports on a bus and below, which have had no power, which windows they have. */
    void reopen(Bus bus) {
        Apertures mine = of(bus);
        mine.low().below().forEach(Aperture::retell);
        mine.high().below().forEach(Aperture::retell);
    }
}
