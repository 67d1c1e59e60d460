package org.peerlane.bus.pcie;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * Sizes the I/O BARs of what comes and gives them ports, and opens the I/O windows of the bridges
 * above, as the operating system does: through config space (PC-14, PC-42).
 *
 * <p><b>Threads.</b> The life-cycle thread only, after the constructor.
 */
final class IoSpace {
    private static final Logger LOG = LogManager.getLogger(IoSpace.class);
    private static final int BAR0 = 0x10;
    private static final long ALL = 0xFFFF_FFFFL;

    private final Map<Bus, IoWindow> windows = new HashMap<>();

    IoSpace(List<HostBridge> hosts) {
        for (HostBridge host : hosts) {
            adopt(host.root(), new IoWindow(host.config()));
        }
    }

    private void adopt(Bus bus, IoWindow mine) {
        windows.put(bus, mine);
        for (BusFunction member : bus.members()) {
            if (member instanceof Port port) {
                adopt(port.secondary(), new IoWindow(mine, port));
            }
        }
    }

    /** Gives every I/O BAR ports; one that finds none stays without. */
    void assign(Endpoint function) {
        for (int index = 0; index < Endpoint.BARS; index++) {
            int register = BAR0 + index * 4;
            long before = function.readConfig(register, 4);
            if ((before & 1) == 0 || before == ALL) { // the latter: it cannot be reached
                index += (before & 6) == 4 ? 1 : 0;
                continue;
            }
            function.writeConfig(register, 4, ALL);
            long count = -(function.readConfig(register, 4) & ~3L) & ALL;
            OptionalLong base = window(function).allocate(count);
            if (base.isEmpty()) {
                LOG.warn("{}: BAR {} of {} I/O ports has none: no room", function, index, count);
            }
            function.writeConfig(register, 4, base.orElse(0));
            function.bars().placePorts(index, base.orElse(0));
        }
    }

    /** Takes the ports of a function back. */
    void release(Endpoint function) {
        for (int index = 0; index < Endpoint.BARS; index++) {
            window(function).free(function.bars().portsOf(index));
        }
    }

    private IoWindow window(Endpoint function) {
        IoWindow window = windows.get(function.bus());
        if (window == null) {
            throw new IllegalStateException(function + " sits on a bus that nobody enumerated");
        }
        return window;
    }
}
