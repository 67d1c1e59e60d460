package org.peerlane.shell.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.peerlane.bus.api.IoPorts;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/** A function that is its config space, and nothing else. */
public final class FakeFunction implements PcieFunction {
    private static final int BYTES = 4096;

    private final PcieAddress address;
    private final ByteBuffer config = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Map<Integer, AddressRange<PhysicalAddress>> bars = new HashMap<>();
    private final Map<Integer, IoPorts> ports = new HashMap<>();
    private String slot = "";
    private boolean present = true;
    private int vendorId;
    private int deviceId;
    private int classCode;
    private Runnable afterWrite = () -> {};
    private int link = 0x34;
    private int extendedLink;

    /** With a header that says no more than this. */
    public FakeFunction(String address, int vendorId, int deviceId, int classCode, int revision) {
        this.address = PcieAddress.parse(address);
        this.vendorId = vendorId;
        this.deviceId = deviceId;
        this.classCode = classCode;
        put(0x00, 4, deviceId << 16 | vendorId);
        put(0x08, 4, classCode << 8 | revision);
    }

    /** Puts it into a slot. */
    public FakeFunction in(String name) {
        slot = name;
        return this;
    }

    /** Writes config space as hardware would have it: read-only registers, too. */
    public FakeFunction put(int offset, int bytes, long value) {
        switch (bytes) {
            case 1 -> config.put(offset, (byte) value);
            case 2 -> config.putShort(offset, (short) value);
            default -> config.putInt(offset, (int) value);
        }
        return this;
    }

    /** A type 1 header with its bus numbers; the windows are closed. */
    public FakeFunction bridge(int primary, int secondary, int subordinate) {
        put(0x0E, 1, 1);
        put(0x18, 4, subordinate << 16 | secondary << 8 | primary);
        put(0x1C, 2, 0x00F0);
        put(0x20, 4, 0x0000_FFF0);
        put(0x24, 4, 0x0001_FFF1);
        return this;
    }

    FakeFunction memoryWindow(int base, int limit) {
        return put(0x20, 4, limit << 16 | base);
    }

    FakeFunction prefetchableWindow(long first, long last) {
        put(0x24, 2, first >> 16 & 0xFFF0 | 1);
        put(0x26, 2, last >> 16 & 0xFFF0 | 1);
        put(0x28, 4, first >>> 32);
        return put(0x2C, 4, last >>> 32);
    }

    /** A BAR that the bus has put somewhere. */
    public FakeFunction bar(int index, long register, long bytes) {
        put(0x10 + 4 * index, 4, register);
        if ((register & 7) == 4) {
            put(0x14 + 4 * index, 4, register >>> 32);
        }
        bars.put(index, AddressRange.ofLength(new PhysicalAddress(register & ~0xFL), bytes));
        return this;
    }

    /** A BAR in I/O space that the bus has put somewhere. */
    FakeFunction io(int index, long register, int count) {
        put(0x10 + 4 * index, 4, register);
        ports.put(index, new IoPorts(register & ~3L, count));
        return this;
    }

    /** An expansion ROM that the bus has put somewhere. */
    FakeFunction rom(long register, long bytes) {
        put(0x30, 4, register);
        long base = register & ~1L;
        bars.put(RomLayout.INDEX, AddressRange.ofLength(new PhysicalAddress(base), bytes));
        return this;
    }

    @Override
    public IoPorts ports(int index) {
        IoPorts found = ports.get(index);
        return found == null ? PcieFunction.super.ports(index) : found;
    }

    /** Appends to the legacy list: what follows id and next pointer. */
    public FakeFunction capability(int offset, int id, int flags, int... dwords) {
        put(0x06, 2, config.getShort(0x06) | 0x10);
        put(link, 1, offset);
        link = offset + 1;
        put(offset, 4, (long) flags << 16 | id);
        return dwords(offset + 4, dwords);
    }

    /** Appends to the extended list. */
    FakeFunction extended(int offset, int id, int version, int... dwords) {
        if (extendedLink != 0) {
            put(extendedLink + 2, 2, config.getShort(extendedLink + 2) | offset << 4);
        }
        extendedLink = offset;
        put(offset, 4, version << 16 | id);
        return dwords(offset + 4, dwords);
    }

    private FakeFunction dwords(int offset, int... values) {
        for (int i = 0; i < values.length; i++) {
            put(offset + 4 * i, 4, values[i]);
        }
        return this;
    }

    /** The function leaves; the kernel still knows who it was. */
    void leave() {
        present = false;
        Arrays.fill(config.array(), (byte) 0xFF);
    }

    @Override
    public PcieAddress address() {
        return address;
    }

    @Override
    public String slot() {
        return slot;
    }

    @Override
    public int vendorId() {
        return vendorId;
    }

    @Override
    public int deviceId() {
        return deviceId;
    }

    @Override
    public int classCode() {
        return classCode;
    }

    @Override
    public boolean isPresent() {
        return present;
    }

    @Override
    public long readConfig(int offset, int bytes) {
        return switch (bytes) {
            case 1 -> config.get(offset) & 0xFFL;
            case 2 -> config.getShort(offset) & 0xFFFFL;
            default -> config.getInt(offset) & 0xFFFF_FFFFL;
        };
    }

    @Override
    public void writeConfig(int offset, int bytes, long value) {
        if (present) {
            put(offset, bytes, value);
            afterWrite.run();
        }
    }

    /** Sets what the hardware does after each write to config space. */
    public void afterWrite(Runnable action) {
        afterWrite = action;
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        AddressRange<PhysicalAddress> range = bars.get(index);
        if (range == null) {
            throw new ErrnoException(Errno.ENODEV, address + " has no BAR " + index);
        }
        return range;
    }

    @Override
    public long read(int index, long offset, int bytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void enable(boolean memory, boolean busMaster) {
        throw new UnsupportedOperationException();
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        throw new UnsupportedOperationException();
    }
}
