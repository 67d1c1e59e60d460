package org.peerlane.shell.pci;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;

/**
 * A bus with some functions on it.
 *
 * @param functions on it
 * @param calls what was done to its slots and its memory
 * @param loads what will be read, one after the other; then all-ones
 */
public record FakeBus(List<PcieFunction> functions, List<String> calls, Deque<Long> loads)
        implements PcieBus {
    /** With these functions. */
    public FakeBus(PcieFunction... functions) {
        this(List.of(functions));
    }

    /** With these functions. */
    public FakeBus(List<PcieFunction> functions) {
        this(functions, new ArrayList<>(), new ArrayDeque<>());
    }

    @Override
    public boolean settle(long timeoutNanos) {
        calls.add("settle");
        return true;
    }

    @Override
    public void eject(String slot) {
        calls.add("eject " + slot);
    }

    @Override
    public void pull(String slot) {
        calls.add("pull " + slot);
    }

    @Override
    public void plug(String slot) {
        calls.add("plug " + slot);
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
        calls.add("load 0x%x, %d".formatted(physical, bytes));
        Long next = loads.poll();
        return next == null ? -1L >>> 64 - 8 * bytes : next;
    }

    @Override
    public long in(long port, int bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void out(long port, int bytes, long value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void store(long physical, int bytes, long value) {
        calls.add("store 0x%x, %d, 0x%x".formatted(physical, bytes, value));
    }
}
