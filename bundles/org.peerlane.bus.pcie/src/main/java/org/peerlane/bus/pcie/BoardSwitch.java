package org.peerlane.bus.pcie;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One switch of the board, as a card that can be taken out in one piece and put back. Its ports are
 * as long as the bus; while it is out the upstream port is not in the tree, and nothing leads to
 * what is below.
 *
 * <p><b>Bus numbers.</b> The port above keeps those that the whole card needs, in or out.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 *
 * @param name the board's
 * @param above the port that it is plugged into
 * @param upstream its own first port
 */
record BoardSwitch(String name, Port above, Port upstream) {
    /** {@return whether it is in its slot, wherever that is now} */
    boolean isPluggedIn() {
        return above.secondary().at(upstream.key()) != null;
    }

    /** Out it goes; its devices have left before. */
    void detach(Fabric fabric) {
        fabric.remove(upstream);
        fabric.drain(); // who was on the way through it
        above.slotBelow().presence(false);
        powerOff(upstream);
    }

    private static void powerOff(Port port) {
        port.powerOff();
        for (BusFunction member : port.secondary().members()) {
            if (member instanceof Port below) {
                powerOff(below);
            }
        }
    }

    /**
     * In it goes, with power, and its buses get their numbers.
     *
     * @throws ErrnoException {@code ENODEV} the port above is not there itself
     */
    void attach(Fabric fabric) {
        if (!above.isPresent()) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "switch %s: the port %s is not there".formatted(name, above.name()));
        }
        fabric.add(upstream);
        above.slotBelow().presence(true);
        if (above.isHotplug()) {
            new SlotControl(above).powerOn();
        }
        int most = above.state().subordinate();
        HostBridge host = above.bus().host;
        new BusNumbers(fabric.config, host, most, fabric.iommuDeclared)
                .scan(above.state().secondary());
        fabric.readdressed();
    }
}
