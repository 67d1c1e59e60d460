package org.peerlane.shell.pci;

import java.util.List;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;

/** A bus with some functions on it. */
record FakeBus(List<PcieFunction> functions) implements PcieBus {
    FakeBus(PcieFunction... functions) {
        this(List.of(functions));
    }

    @Override
    public boolean settle(long timeoutNanos) {
        return true;
    }

    @Override
    public List<PcieFunction> isolationGroup(PcieFunction function) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PeerProvider peerProvider(PcieFunction function, int index) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long load(long physical, int bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void store(long physical, int bytes, long value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void eject(String slot) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void pull(String slot) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void plug(String slot) {
        throw new UnsupportedOperationException();
    }
}
