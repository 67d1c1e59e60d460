package org.peerlane.bus.pcie;

import org.peerlane.bus.api.DeviceType;

/**
 * A kind of device that is there.
 *
 * @param name as slots ask for it
 */
record DeviceKind(DeviceType service, String name, TypeVersion version) {
    @Override
    public String toString() {
        return name + " " + version;
    }
}
