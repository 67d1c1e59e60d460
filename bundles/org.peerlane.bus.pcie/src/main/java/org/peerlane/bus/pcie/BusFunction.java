package org.peerlane.bus.pcie;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.config.CapabilityId;
import org.peerlane.bus.pcie.config.ConfigSpace;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * One function in its place of the tree: an endpoint's or a port.
 *
 * <p>Software's accesses to config space take the way over the ports, and find nobody if the ports
 * do not lead here (PC-40, PC-45, PC-63).
 */
abstract sealed class BusFunction implements PcieFunction permits Endpoint, Port {
    static final int COMMAND = 0x04;
    static final int COMMAND_IO = 1;
    static final int COMMAND_MEMORY = 1 << 1;
    static final int COMMAND_MASTER = 1 << 2;
    static final int COMMAND_INTX_DISABLE = 1 << 10;

    private static final int HEADER_TYPE = 0x0E;

    final Fabric fabric;
    private final Bus bus;
    private final int key;
    private final String name;

    /** Guards config space. */
    final NamedLock lock;

    /** Where software has found it. */
    private volatile PcieAddress address;

    /** The bus number that a config write has brought (PC-41). */
    private volatile int capturedBus;

    /**
     * @param key device and function number; a virtual function's may be of a later bus
     */
    BusFunction(Fabric fabric, Bus bus, int key, String name) {
        this.fabric = fabric;
        this.bus = bus;
        this.key = key;
        this.name = name;
        lock = fabric.execution.lock("bus.function");
        Port parent = bus.parent;
        HostBridge host = bus.host;
        int busNumber = parent == null ? host.config().firstBus() : parent.state().secondary();
        address = at(host, busNumber);
    }

    private PcieAddress at(HostBridge host, int own) {
        int routing = (own << 8) + key;
        return new PcieAddress(
                host.config().segment(), routing >>> 8 & 0xFF, routing >>> 3 & 0x1F, routing & 7);
    }

    /** {@return the bus it sits on} */
    final Bus bus() {
        return bus;
    }

    /** {@return what tells it from others of its bus: see {@link Bus#at}} */
    final int key() {
        return key;
    }

    /** {@return device and function number: 8 bits} */
    final int number() {
        return key & 0xFF;
    }

    /** {@return the number of the device that it is a function of, 5 bits} */
    int device() {
        return number() >>> 3;
    }

    /** {@return whether it is one that SR-IOV has made} */
    boolean isVirtual() {
        return false;
    }

    final String name() {
        return name;
    }

    @Override
    public final String slot() {
        return name;
    }

    @Override
    public final PcieAddress address() {
        return address;
    }

    /** {@return what its requests carry: the bus number of the last config write} */
    final int requesterId() {
        return (capturedBus << 8) + key & 0xFFFF;
    }

    /** A config write has come, by this bus number. */
    void capture(int busNumber) {
        if (capturedBus != busNumber) {
            numbered(busNumber);
        }
    }

    /** {@return the bus number that it has captured} */
    final int capturedBus() {
        return capturedBus;
    }

    /** Its own bus has this number. */
    final void numbered(int busNumber) {
        capturedBus = busNumber;
        address = at(bus.host, busNumber);
        captured();
    }

    /** The requester id has changed. */
    abstract void captured();

    /** {@return where it logs failed requests} */
    abstract ErrorLog errors();

    /** {@return where a capability of its own is} */
    abstract OptionalInt findCapability(CapabilityId id);

    static long ones(int bytes) {
        return ConfigSpace.ones(bytes);
    }

    /** A type 0 config read has arrived. */
    abstract long configRead(int offset, int bytes);

    /** Puts into a read of the header type whether the device has more functions (PC-39). */
    final long withMultifunction(int offset, int bytes, long value) {
        if (offset > HEADER_TYPE || offset + bytes <= HEADER_TYPE || isVirtual()) {
            return value;
        }
        for (BusFunction member : bus.members()) {
            if (member.device() == device() && member.key() != key && !member.isVirtual()) {
                return value | 0x80L << (HEADER_TYPE - offset) * 8;
            }
        }
        return value;
    }

    /** A type 0 config write has arrived. */
    abstract void configWrite(int offset, int bytes, long value);

    @Override
    public final long readConfig(int offset, int bytes) {
        return fabric.config.read(this, offset, bytes);
    }

    @Override
    public final void writeConfig(int offset, int bytes, long value) {
        fabric.config.write(this, offset, bytes, value);
    }

    /** {@return the root port that leads here, or null: it sits in the root complex} */
    final @Nullable Port rootPort() {
        Port port = this instanceof Port self ? self : bus.parent;
        while (port != null && port.bus().parent != null) {
            port = port.bus().parent;
        }
        return port;
    }

    /** {@return the refusal of {@link #bar} for a BAR that has no address} */
    final ErrnoException noBar(int index, boolean exists) {
        return new ErrnoException(
                Errno.ENODEV,
                "%s (%s) has no BAR %d%s"
                        .formatted(address, name, index, exists ? " with an address" : ""));
    }

    @Override
    public abstract AddressRange<PhysicalAddress> bar(int index);

    @Override
    public String toString() {
        return address + " (" + name + ")";
    }
}
