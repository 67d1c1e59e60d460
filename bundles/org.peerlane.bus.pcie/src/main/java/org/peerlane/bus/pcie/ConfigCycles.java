package org.peerlane.bus.pcie;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.ConfigSpace;

/**
 * Config requests, hop by hop by bus number, as ECAM makes them (PC-2, PC-4, PC-40).
 *
 * <p><b>Threads.</b> Any; the target's lock only.
 */
@SuppressWarnings("ReferenceEquality") // functions are what they are
final class ConfigCycles {
    private final List<HostBridge> hosts;

    ConfigCycles(List<HostBridge> hosts) {
        this.hosts = hosts;
    }

    /**
     * {@return who answers, or null: nobody}
     *
     * @param number device and function
     */
    @Nullable BusFunction find(int segment, int bus, int number) {
        for (HostBridge host : hosts) {
            HostBridgeConfig config = host.config();
            if (config.segment() == segment
                    && bus >= config.firstBus()
                    && bus <= config.lastBus()) {
                return find(host, bus, number);
            }
        }
        return null;
    }

    private static @Nullable BusFunction find(HostBridge host, int bus, int number) {
        Bus at = host.root();
        int own = host.config().firstBus();
        if (bus == own) {
            return at.at(number);
        }
        while (true) {
            Port port = towards(at, bus);
            if (port == null) { // only a physical function takes it, for a virtual one (PC-34)
                return at.at(bus - own << 8 | number);
            }
            if (port.state().secondary() == bus) {
                boolean only = port.kind() != PortKind.UPSTREAM && !port.forwardsAri();
                return only && number >>> 3 != 0 ? null : port.secondary().at(number); // PC-39
            }
            at = port.secondary();
            own = port.state().secondary();
        }
    }

    private static @Nullable Port towards(Bus at, int bus) {
        for (BusFunction member : at.members()) {
            if (member instanceof Port port) {
                PortState state = port.state();
                if (state.link() && state.leadsTo(bus)) {
                    return port;
                }
            }
        }
        return null;
    }

    /** {@return whether config requests to a function's address get to it} */
    boolean reach(BusFunction function) {
        return find(function.address().segment(), function.address().bus(), function.number())
                == function;
    }

    long read(BusFunction function, int offset, int bytes) {
        return ConfigSpace.takes(offset, bytes) && reach(function)
                ? function.configRead(offset, bytes)
                : ConfigSpace.ones(bytes);
    }

    void write(BusFunction function, int offset, int bytes, long value) {
        if (ConfigSpace.takes(offset, bytes) && reach(function)) {
            function.capture(function.address().bus());
            function.configWrite(offset, bytes, value);
        }
    }

    long read(int segment, int bus, int number, int offset, int bytes) {
        BusFunction function = find(segment, bus, number);
        return function != null && ConfigSpace.takes(offset, bytes)
                ? function.configRead(offset, bytes)
                : ConfigSpace.ones(bytes);
    }

    void write(int segment, int bus, int number, int offset, int bytes, long value) {
        BusFunction function = find(segment, bus, number);
        if (function != null && ConfigSpace.takes(offset, bytes)) {
            function.capture(bus);
            function.configWrite(offset, bytes, value);
        }
    }
}
