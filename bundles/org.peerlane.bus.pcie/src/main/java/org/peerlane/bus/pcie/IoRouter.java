package org.peerlane.bus.pcie;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Routes I/O requests of the CPU hop by hop over the ports as they are programmed now (PC-42,
 * PC-46). Devices send none.
 *
 * <p><b>Overlap.</b> As with memory: of two that claim a port on one bus, the lower function number
 * has it (PC-19).
 *
 * <p><b>Threads.</b> Any; no lock. <b>Cost.</b> A walk per access, without allocation.
 */
final class IoRouter {
    private IoRouter() {}

    /**
     * {@return the endpoint that claims a port of I/O space; else the last bridge on the way, which
     * refuses; or null: no bridge does}
     */
    static @Nullable BusFunction find(List<HostBridge> hosts, long port) {
        for (int i = 0; i < hosts.size(); i++) {
            HostBridge host = hosts.get(i);
            if (host.decodesPort(port)) {
                return below(host.root(), port);
            }
        }
        return null;
    }

    private static @Nullable BusFunction below(Bus root, long port) {
        Bus bus = root;
        BusFunction last = null;
        while (true) {
            BusFunction claimant = claimant(bus, port);
            if (claimant == null) {
                return last;
            }
            if (!(claimant instanceof Port bridge) || !bridge.state().link()) {
                return claimant;
            }
            last = bridge;
            bus = bridge.secondary();
        }
    }

    private static @Nullable BusFunction claimant(Bus bus, long port) {
        for (BusFunction member : bus.members()) {
            boolean claims =
                    switch (member) {
                        case Port bridge -> bridge.state().inIoWindow(port);
                        case Endpoint endpoint -> endpoint.bars().portBar(port) >= 0;
                    };
            if (claims) {
                return member;
            }
        }
        return null;
    }
}
