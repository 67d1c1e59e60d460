package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.api.VirtualFunctions;

/** A device that notes what happens to it and answers a register with its last write. */
final class TestDevice implements DeviceModel, VirtualFunctions {
    final DeviceSlot slot;
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private final FunctionLayout layout;
    private final long[] registers = new long[512];
    volatile @Nullable RuntimeException failure;
    volatile Runnable onReset = () -> {};
    volatile Runnable onRead = () -> {};

    /** What a virtual function looks like; its BARs get memory of their own. */
    volatile @Nullable FunctionLayout virtualLayout;

    final List<TestDevice> virtuals = Collections.synchronizedList(new ArrayList<>());

    TestDevice(DeviceSlot slot, FunctionLayout layout) {
        this.slot = slot;
        this.layout = layout;
    }

    /** A type that keeps the devices it has made. */
    static final class Type implements DeviceType {
        final List<TestDevice> made = Collections.synchronizedList(new ArrayList<>());
        private final FunctionLayout layout;
        @Nullable RuntimeException refusal;

        Type(FunctionLayout layout) {
            this.layout = layout;
        }

        @Override
        public DeviceModel create(DeviceSlot slot) {
            if (refusal != null) {
                throw refusal;
            }
            TestDevice device = new TestDevice(slot, layout);
            made.add(device);
            return device;
        }

        TestDevice last() {
            return made.getLast();
        }
    }

    @Override
    public DeviceModel createVirtual(int vf, DeviceSlot of) {
        TestDevice made = new TestDevice(of, Objects.requireNonNull(virtualLayout));
        virtuals.add(made);
        return made;
    }

    @Override
    public FunctionLayout layout() {
        return layout;
    }

    @Override
    public long read(int bar, long offset, int bytes) {
        fail();
        onRead.run();
        calls.add("read %d 0x%x/%d".formatted(bar, offset, bytes));
        return registers[(int) (offset / 8)];
    }

    @Override
    public void write(int bar, long offset, int bytes, long value) {
        fail();
        calls.add("write %d 0x%x/%d 0x%x".formatted(bar, offset, bytes, value));
        registers[(int) (offset / 8)] = value;
    }

    private void fail() {
        RuntimeException now = failure;
        if (now != null) {
            throw now;
        }
    }

    @Override
    public void reset(ResetKind kind) {
        calls.add("reset " + kind);
        onReset.run();
    }

    @Override
    public void close() {
        calls.add("close");
    }
}
