package org.peerlane.shell.pci;

import java.util.List;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;

/** A bus with some functions on it. */
record FakeBus(List<PcieFunction> functions) implements PcieBus {
    FakeBus(PcieFunction... functions) {
        this(List.of(functions));
    }

    @Override
    public boolean settle(long timeoutNanos) {
        return true;
    }
}
