package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;

/**
 * Bus numbers for virtual functions past their own bus: kept free when the ports were numbered, or
 * behind the last bus of all (PC-34, PC-40).
 */
@SuppressWarnings("ReferenceEquality") // ports and host bridges are what they are
final class BusRoom {
    private BusRoom() {}

    /**
     * Makes the ports above a bus lead to a later bus number, too.
     *
     * @return false: the numbers between are somebody else's
     */
    static boolean extend(Fabric fabric, Bus bus, int last) {
        Port parent = bus.parent;
        int own = parent == null ? bus.host.config().firstBus() : parent.state().subordinate();
        if (last <= own) {
            return true;
        }
        if (last > bus.host.config().lastBus()) {
            return false;
        }
        for (BusFunction member : fabric.functions()) {
            if (member instanceof Port port && port.bus().host == bus.host) {
                int secondary = port.state().secondary();
                if (secondary > own && secondary <= last) {
                    return false;
                }
            }
        }
        List<Port> above = new ArrayList<>();
        for (Port port = parent; port != null; port = port.bus().parent) {
            above.addFirst(port);
        }
        for (Port port : above) {
            if (port.state().subordinate() < last) {
                port.writeConfig(Bridge.SUBORDINATE, 1, last);
            }
        }
        return true;
    }
}
