package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.pcie.config.PortLayout;
import org.peerlane.bus.pcie.config.SlotLayout;

/** What the ports of a board look like from outside: ids, slot, capabilities. */
final class PortLayouts {
    private static final int RED_HAT = 0x1B36;
    private static final int ROOT_PORT_ID = 0x000C;
    private static final int SWITCH_PORT_ID = 0x0013; // and the port's type; ids of our own

    /** SV, TB, RR, CR, UF and DT (PC-31), and egress control over 32 ports. */
    private static final CapabilityLayout.Acs ACS =
            new CapabilityLayout.Acs(PortLayout.ACS_BITS | PortState.EGRESS_CONTROL, 32);

    private PortLayouts() {}

    static PortLayout of(PortConfig board, PortKind kind, int portNumber) {
        boolean down = kind != PortKind.UPSTREAM;
        SlotLayout slot =
                !down
                        ? null
                        : board.hotplug()
                                ? SlotLayout.hotPlug(portNumber)
                                : new SlotLayout(
                                        portNumber, false, false, false, false, false, false);
        int deviceId = kind == PortKind.ROOT ? ROOT_PORT_ID : SWITCH_PORT_ID + kind.type.code();
        PortLayout usual = PortLayout.of(kind.type, RED_HAT, deviceId, portNumber, slot);
        List<CapabilityLayout> capabilities = new ArrayList<>(usual.capabilities());
        capabilities.removeIf(CapabilityLayout.Acs.class::isInstance);
        if (board.acs() && down) {
            capabilities.add(ACS);
        }
        return new PortLayout(
                kind.type, RED_HAT, deviceId, 0, portNumber, 1, slot, board.ioBits(), capabilities);
    }
}
