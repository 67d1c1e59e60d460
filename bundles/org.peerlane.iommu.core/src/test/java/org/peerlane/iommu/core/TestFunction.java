package org.peerlane.iommu.core;

import java.util.HashMap;
import java.util.Map;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/** A function with the capabilities ATS at 0x100, PRI at 0x110 and PASID at 0x130. */
final class TestFunction implements PcieFunction {
    static final int ATS_CONTROL = 0x106;
    static final int PRI_CONTROL = 0x114;
    static final int PRI_ALLOCATION = 0x11C;
    static final int PASID_CONTROL = 0x136;

    final Map<Integer, Long> config = new HashMap<>();
    private final PcieAddress address;

    TestFunction(PcieAddress address) {
        this.address = address;
        config.put(0x100, 0x1101_000FL);
        config.put(0x110, 0x1301_0013L);
        config.put(0x130, 0x0001_001BL);
    }

    @Override
    public PcieAddress address() {
        return address;
    }

    @Override
    public String slot() {
        return "test0";
    }

    @Override
    public int vendorId() {
        return 1;
    }

    @Override
    public int deviceId() {
        return 1;
    }

    @Override
    public int classCode() {
        return 0;
    }

    @Override
    public boolean isPresent() {
        return true;
    }

    @Override
    public long readConfig(int offset, int bytes) {
        return config.getOrDefault(offset, 0L);
    }

    @Override
    public void writeConfig(int offset, int bytes, long value) {
        config.put(offset, value);
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long read(int index, long offset, int bytes) {
        return -1;
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {}

    @Override
    public void enable(boolean memory, boolean busMaster) {}

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        throw new UnsupportedOperationException();
    }
}
