package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.peerlane.bus.api.AtsDevice;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceTlb;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;

/** A device whose DMA goes through a TLB of its own. */
final class TlbDevice implements DeviceModel, AtsDevice {
    static final int ENTRIES = 64;

    private static final FunctionLayout LAYOUT =
            FunctionLayout.of(TestMachine.VENDOR, 0x11EA, 0x00FF00)
                    .bar(BarLayout.registers(0, 4096, false, false))
                    .with(CapabilityLayout.Express.plain())
                    .with(new CapabilityLayout.Ats(32, true))
                    .build();

    final DeviceTlb tlb;

    private TlbDevice(DeviceSlot slot) {
        tlb = new DeviceTlb(slot, ENTRIES);
    }

    /** A type that keeps the devices it has made. */
    static final class Type implements DeviceType {
        final List<TlbDevice> made = Collections.synchronizedList(new ArrayList<>());

        @Override
        public DeviceModel create(DeviceSlot slot) {
            TlbDevice device = new TlbDevice(slot);
            made.add(device);
            return device;
        }
    }

    @Override
    public FunctionLayout layout() {
        return LAYOUT;
    }

    @Override
    public long read(int bar, long offset, int bytes) {
        return 0;
    }

    @Override
    public void write(int bar, long offset, int bytes, long value) {}

    @Override
    public void invalidate(int tag, int pasid, long address, long bytes) {
        tlb.invalidate(tag, pasid, address, bytes);
    }

    @Override
    public void disabled() {
        tlb.disabled();
    }

    @Override
    public void reset(ResetKind kind) {
        tlb.reset();
    }

    @Override
    public void close() {
        tlb.close();
    }
}
