package org.peerlane.bus.pcie;

import org.peerlane.bus.api.ResetKind;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * A root port, or a port of a switch: a bridge between the bus it sits on and the one below.
 *
 * <p><b>Life.</b> The root complex's. <b>Locks.</b> {@code bus.function} guards config space; what
 * routing needs of it is published as a {@link PortState}.
 */
final class Port extends BusFunction {
    private final PortKind kind;
    private final boolean acs;
    private final boolean hotplug;
    private final Bus secondary;

    /** Guarded by lock. */
    private final ConfigSpace config;

    /** Something is in the slot and its link is up. Guarded by lock. */
    private boolean linkUp;

    private volatile PortState state = PortState.RESET;

    Port(Fabric fabric, Bus bus, int number, String name, PortConfig board, PortKind kind) {
        super(fabric, bus, number, name);
        this.kind = kind;
        acs = board.acs() && kind != PortKind.UPSTREAM;
        hotplug = board.hotplug() && kind != PortKind.UPSTREAM;
        secondary = new Bus(bus.host, this);
        config = Type1.of(board, kind, number >>> 3);
        linkUp = kind == PortKind.UPSTREAM;
    }

    PortKind kind() {
        return kind;
    }

    /** {@return the bus below} */
    Bus secondary() {
        return secondary;
    }

    PortState state() {
        return state;
    }

    boolean hasAcs() {
        return acs;
    }

    boolean isHotplug() {
        return hotplug;
    }

    /** {@return whether devices 1 to 31 below are reached, as functions of one device} */
    boolean forwardsAri() {
        lock.lock();
        try {
            return (config.get(Type1.DEVCTL2, 2) & Type1.DEVCTL2_ARI) != 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    void captured() {}

    @Override
    long configRead(int offset, int bytes) {
        lock.lock();
        try {
            return withMultifunction(offset, bytes, config.get(offset, bytes));
        } finally {
            lock.unlock();
        }
    }

    @Override
    void configWrite(int offset, int bytes, long value) {
        boolean reset;
        boolean released;
        lock.lock();
        try {
            boolean before = held();
            config.write(offset, bytes, value);
            if (offset <= Type1.SLTCTL && Type1.SLTCTL < offset + bytes && hotplug) {
                slotStatus(Type1.SLTSTA_COMMAND_COMPLETED, 0); // PC-69
            }
            reset = !before && held();
            released = before && !held();
            refresh();
        } finally {
            lock.unlock();
        }
        if (fabric.trace.configWrite.isOn()) {
            fabric.trace.configWrite.emit(
                    new BusEvents.ConfigWrite(address(), offset, bytes, value));
        }
        if (reset) {
            fabric.beginReset(secondary);
        } else if (released) {
            fabric.finishReset(secondary, ResetKind.HOT);
        }
    }

    /** {@return whether software holds the link below in reset (PC-63)} */
    private boolean held() {
        return (config.get(Type1.BRIDGE_CONTROL, 2) & Type1.BRIDGE_CONTROL_RESET) != 0;
    }

    /** Something has come into the slot below, or has left it (PC-68, PC-69). */
    void link(boolean up) {
        lock.lock();
        try {
            if (linkUp == up) {
                return;
            }
            linkUp = up;
            slotStatus(
                    Type1.SLTSTA_PRESENCE_CHANGED
                            | Type1.SLTSTA_LINK_CHANGED
                            | (up ? Type1.SLTSTA_PRESENCE : 0),
                    up ? 0 : Type1.SLTSTA_PRESENCE);
            refresh();
        } finally {
            lock.unlock();
        }
    }

    private void slotStatus(int set, int clear) {
        assert lock.isHeldByCurrentThread();
        config.set(Type1.SLTSTA, 2, config.get(Type1.SLTSTA, 2) & ~clear | set);
    }

    /** A reset from above: everything but what the slot holds. */
    void reset() {
        lock.lock();
        try {
            long slot = config.get(Type1.SLTSTA, 2) & Type1.SLTSTA_PRESENCE;
            config.reset();
            config.set(Type1.SLTSTA, 2, config.get(Type1.SLTSTA, 2) | slot);
            refresh();
        } finally {
            lock.unlock();
        }
    }

    private void refresh() {
        assert lock.isHeldByCurrentThread();
        int command = (int) config.get(Type0.COMMAND, 2);
        boolean awake = (config.get(Type0.PMCSR, 1) & Type0.PMCSR_STATE) == Type0.D0;
        boolean link = linkUp && !held();
        config.set(
                Type1.LNKSTA,
                2,
                config.get(Type1.LNKSTA, 2) & ~Type1.LNKSTA_ACTIVE
                        | (link ? Type1.LNKSTA_ACTIVE : 0));
        state =
                new PortState(
                        (int) config.get(Type1.PRIMARY, 1),
                        (int) config.get(Type1.SECONDARY, 1),
                        (int) config.get(Type1.SUBORDINATE, 1),
                        config.get(Type1.MEMORY_BASE, 2) << 16,
                        config.get(Type1.MEMORY_LIMIT, 2) << 16 | 0xF_FFFF,
                        prefetch(Type1.PREFETCH_BASE, Type1.PREFETCH_BASE_HIGH),
                        prefetch(Type1.PREFETCH_LIMIT, Type1.PREFETCH_LIMIT_HIGH) | 0xF_FFFF,
                        awake && (command & Type0.COMMAND_MSE) != 0,
                        awake && (command & Type0.COMMAND_BME) != 0,
                        link,
                        acs ? (int) config.get(Type1.ACS_CONTROL, 2) : 0,
                        acs ? config.get(Type1.ACS_EGRESS, 4) : 0);
        fabric.changed();
    }

    /** The low nibble says 64 bits and is no part of the address (PC-42). */
    private long prefetch(int low, int high) {
        return config.get(high, 4) << 32 | (config.get(low, 2) & 0xFFF0) << 16;
    }

    @Override
    public int vendorId() {
        return (int) configRead(0, 2);
    }

    @Override
    public int deviceId() {
        return (int) configRead(2, 2);
    }

    @Override
    public int classCode() {
        return (int) configRead(9, 3);
    }

    @Override
    public boolean isPresent() {
        return true;
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        throw noBar(index, false);
    }

    @Override
    public long read(int index, long offset, int bytes) {
        return ConfigSpace.ones(bytes);
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {}

    @Override
    public void enable(boolean memory, boolean busMaster) {
        int both = Type0.COMMAND_MSE | Type0.COMMAND_BME;
        int bits = (memory ? Type0.COMMAND_MSE : 0) | (busMaster ? Type0.COMMAND_BME : 0);
        writeConfig(Type0.COMMAND, 2, readConfig(Type0.COMMAND, 2) & ~both | bits);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        throw new ErrnoException(Errno.EINVAL, this + " has no vector " + vector);
    }
}
