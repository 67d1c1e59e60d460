package org.peerlane.bus.pcie;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * Numbers the buses of a host bridge as the operating system does when it starts: depth first, by
 * config cycles alone (PC-39, PC-40). On the way it closes the windows, lets the ports pass memory
 * both ways, and switches ACS on where an IOMMU is in use (PC-57).
 */
final class BusNumbers {
    private static final Logger LOG = LogManager.getLogger(BusNumbers.class);

    /** Header type: bridge, and more functions. */
    private static final int BRIDGE = 1;

    private static final int MULTIFUNCTION = 0x80;
    private static final int ACS = 0x000D;

    private final ConfigCycles config;
    private final int segment;
    private final int most;
    private final boolean isolate;

    /**
     * @param isolate the board has an IOMMU
     */
    BusNumbers(ConfigCycles config, HostBridge host, boolean isolate) {
        this(config, host, host.config().lastBus(), isolate);
    }

    /**
     * @param most the highest number that there is for it
     * @param isolate the board has an IOMMU
     */
    BusNumbers(ConfigCycles config, HostBridge host, int most, boolean isolate) {
        this.config = config;
        this.isolate = isolate;
        this.most = most;
        segment = host.config().segment();
    }

    /** {@return the highest number that a bus below this one has now} */
    int scan(int bus) {
        int highest = bus;
        for (int device = 0; device < 32; device++) {
            int functions = 1;
            for (int function = 0; function < functions; function++) {
                int number = device << 3 | function;
                if ((config.read(segment, bus, number, 0, 2) & 0xFFFF) == 0xFFFF) {
                    if (function == 0) {
                        break;
                    }
                    continue;
                }
                int header = (int) config.read(segment, bus, number, 0x0E, 1);
                if ((header & MULTIFUNCTION) != 0) {
                    functions = 8;
                }
                if ((header & ~MULTIFUNCTION) == BRIDGE) {
                    highest = bridge(bus, number, highest);
                }
            }
        }
        return highest;
    }

    private int bridge(int bus, int number, int highest) {
        if (highest >= most) {
            LOG.error(
                    "%04x:%02x:%02x.%d: no bus number is left below it; expected at most %d buses"
                            .formatted(segment, bus, number >>> 3, number & 7, most + 1));
            return highest;
        }
        int secondary = highest + 1;
        write(bus, number, Bridge.PRIMARY, 1, bus);
        write(bus, number, Bridge.SECONDARY, 1, secondary);
        write(bus, number, Bridge.SUBORDINATE, 1, 0xFF);
        int used = Math.max(scan(secondary), secondary + switches(bus, number));
        int last = Math.min(most, used + reserve(bus, number));
        write(bus, number, Bridge.SUBORDINATE, 1, last);
        write(bus, number, Bridge.IO_BASE, 2, 0x00F0);
        write(bus, number, Bridge.IO_BASE_HIGH, 4, 0);
        write(bus, number, Bridge.MEMORY_BASE, 4, 0x0000_FFF0L);
        write(bus, number, Bridge.PREFETCH_BASE, 4, 0x0001_FFF1L);
        write(bus, number, Bridge.PREFETCH_BASE_HIGH, 4, 0xFFFF_FFFFL);
        write(bus, number, Bridge.PREFETCH_LIMIT_HIGH, 4, 0);
        write(
                bus,
                number,
                BusFunction.COMMAND,
                2,
                BusFunction.COMMAND_MEMORY | BusFunction.COMMAND_MASTER);
        int acs = isolate ? Capabilities.extended(this::read, bus, number, ACS) : 0;
        if (acs != 0) {
            int bits =
                    PortState.SOURCE_VALIDATION
                            | PortState.REQUEST_REDIRECT
                            | PortState.COMPLETION_REDIRECT
                            | PortState.UPSTREAM_FORWARDING;
            write(bus, number, acs + 6, 2, bits);
        }
        return last;
    }

    /** Buses of the switches that the board has below, plugged in or not. */
    private int switches(int bus, int number) {
        return config.find(segment, bus, number) instanceof Port port ? port.switchBuses() : 0;
    }

    /** What the firmware is told of a port that is made for virtual functions. */
    private int reserve(int bus, int number) {
        return config.find(segment, bus, number) instanceof Port port ? port.busReserve() : 0;
    }

    private long read(int bus, int number, int offset, int bytes) {
        return config.read(segment, bus, number, offset, bytes);
    }

    private void write(int bus, int number, int offset, int bytes, long value) {
        config.write(segment, bus, number, offset, bytes, value);
    }
}
