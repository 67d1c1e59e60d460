package org.peerlane.bus.pcie;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.config.Acs;
import org.peerlane.bus.pcie.config.Aer;
import org.peerlane.bus.pcie.config.BridgeHeader;
import org.peerlane.bus.pcie.config.CapabilityId;
import org.peerlane.bus.pcie.config.Effect;
import org.peerlane.bus.pcie.config.ErrorMessage;
import org.peerlane.bus.pcie.config.Express;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Link;
import org.peerlane.bus.pcie.config.Msi;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * A root port, or a port of a switch: a bridge between the bus it sits on and the one below.
 *
 * <p><b>Life.</b> The root complex's. <b>Locks.</b> {@code bus.below}, before {@code bus.reset};
 * {@code bus.function} guards config space; what routing needs of it is published as a {@link
 * PortState}.
 */
final class Port extends BusFunction {
    private final PortKind kind;
    private final boolean hotplug;
    private final int busReserve;
    private final int ioBits;
    private final long memoryReserve;
    private final long prefetchReserve;

    /** Buses of all switches that the board has below; set before the first enumeration. */
    private int switchBuses;

    private final Bus secondary;

    /** Guarded by lock. */
    private final FunctionConfig config;

    private final ErrorLog errors;

    private final Express express;
    private final PortSlot slot;
    private final @Nullable Acs acs;

    private volatile PortState state = PortState.RESET;

    /** Serialises what is done to the functions below when their link goes or comes back. */
    private final NamedLock below;

    /** How often the link has gone. Guarded by lock. */
    private long darkenings;

    /** How often of those it was told to the functions below. Guarded by below. */
    private long told;

    Port(Fabric fabric, Bus bus, int number, String name, PortConfig board, PortKind kind) {
        super(fabric, bus, number, name);
        this.kind = kind;
        below = fabric.execution.lock("bus.below");
        hotplug = board.hotplug() && kind != PortKind.UPSTREAM;
        busReserve = kind == PortKind.UPSTREAM ? 0 : board.busReserve();
        ioBits = board.ioBits();
        memoryReserve = hotplug ? board.memoryReserve() : 0;
        prefetchReserve = hotplug ? board.prefetchReserve() : 0;
        secondary = new Bus(bus.host, this);
        config = FunctionConfig.port(PortLayouts.of(board, kind, number >>> 3));
        errors = new ErrorLog(this, config);
        Express found = config.express();
        if (found == null) {
            throw new AssertionError("a port without the Express capability");
        }
        express = found;
        slot = new PortSlot(this, config, found);
        acs = config.acs();
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
        return acs != null;
    }

    boolean isHotplug() {
        return hotplug;
    }

    /** The board has a switch below. */
    void awaitBuses(int count) {
        switchBuses += count;
    }

    /** {@return how many buses the switches that the board has below need} */
    int switchBuses() {
        return switchBuses;
    }

    /** {@return how wide its I/O window is: 32, 16, or 0: it has none} */
    int ioBits() {
        return ioBits;
    }

    /** {@return bus numbers to be kept free below it} */
    int busReserve() {
        return busReserve;
    }

    /** {@return bytes of its window below 4 GiB, at least} */
    long memoryReserve() {
        return memoryReserve;
    }

    /** {@return bytes of its window above 4 GiB, at least} */
    long prefetchReserve() {
        return prefetchReserve;
    }

    /** {@return whether devices 1 to 31 below are reached, as functions of one device} */
    boolean forwardsAri() {
        lock.lock();
        try {
            return express.ariForwarding();
        } finally {
            lock.unlock();
        }
    }

    /** {@return whether a read of what is not ready yet is answered, and not repeated (PC-5)} */
    boolean retriesVisible() {
        lock.lock();
        try {
            return express.root() != null && express.root().retriesVisible();
        } finally {
            lock.unlock();
        }
    }

    @Override
    void captured() {}

    @Override
    OptionalInt findCapability(CapabilityId id) {
        return config.capabilities().stream()
                .filter(one -> one.id() == id)
                .mapToInt(one -> one.at())
                .findFirst();
    }

    @Override
    long configRead(int offset, int bytes) {
        lock.lock();
        try {
            return withMultifunction(offset, bytes, config.read(offset, bytes));
        } finally {
            lock.unlock();
        }
    }

    @Override
    void configWrite(int offset, int bytes, long value) {
        update(offset, bytes, 0, value);
    }

    /** A write by software, of which the bits in {@code kept} are as they are. */
    private void update(int offset, int bytes, long kept, long bits) {
        long value;
        int effects;
        boolean before;
        boolean after;
        boolean notice;
        lock.lock();
        try {
            before = dark();
            value = config.read(offset, bytes) & kept | bits & ~kept;
            effects = config.write(offset, bytes, value);
            if ((effects & Effect.POWER_RESET) != 0) {
                config.reset(ResetKind.POWER);
            }
            after = dark();
            darkenings += after && !before ? 1 : 0;
            notice = (effects & Effect.SLOT_INTERRUPT) != 0 && slot.notice();
            refresh();
        } finally {
            lock.unlock();
        }
        if (fabric.trace.configWrite.isOn()) {
            fabric.trace.configWrite.emit(
                    new BusEvents.ConfigWrite(address(), offset, bytes, value));
        }
        if (after != before) {
            tellBelow();
        }
        if ((effects & Effect.EJECT) != 0) {
            fabric.switchedOff(this);
        }
        if (notice) {
            interrupt();
        }
    }

    /**
     * Brings the functions below to where the link is now. Of several writes that are under way at
     * once the last to come here has the last word, and no reset is left out.
     */
    private void tellBelow() {
        below.lock();
        try {
            long count;
            boolean dark;
            lock.lock();
            try {
                count = darkenings;
                dark = dark();
            } finally {
                lock.unlock();
            }
            if (count != told) {
                told = count;
                fabric.beginReset(secondary);
            }
            if (!dark) {
                fabric.finishReset(secondary, ResetKind.HOT);
            }
        } finally {
            below.unlock();
        }
    }

    /** {@return whether what is below is held in reset, or cut off by software (PC-63)} */
    private boolean dark() {
        return config.bridge().secondaryReset() || slot.isCut();
    }

    /** {@return the slot below, or that there is none} */
    PortSlot slotBelow() {
        return slot;
    }

    @Override
    ErrorLog errors() {
        return errors;
    }

    /** An error message has come up to this root port. */
    void receiveError(ErrorMessage message, int requesterId) {
        boolean notice;
        lock.lock();
        try {
            Aer aer = config.aer();
            notice = aer != null && aer.received(message, requesterId);
        } finally {
            lock.unlock();
        }
        if (notice) {
            interrupt();
        }
    }

    /** Sends the port's message, if software has set one up. */
    void interrupt() {
        long address;
        int data;
        lock.lock();
        try {
            Msi msi = config.msi();
            if (msi == null || !msi.enabled() || (msi.mask() & 1) != 0 || !config.mayMaster()) {
                return;
            }
            address = msi.address();
            data = msi.data();
        } finally {
            lock.unlock();
        }
        if (InterruptController.inWindow(address)) {
            fabric.interrupts.deliver(address, data);
        }
    }

    /** The card that it is on is out: it has forgotten everything; so has its slot, if empty. */
    void powerOff() {
        lock.lock();
        try {
            slot.hold(secondary.members().length > 0);
            config.reset(ResetKind.COLD);
            refresh();
        } finally {
            lock.unlock();
        }
    }

    /** A reset from above: everything but what the slot holds. */
    void reset() {
        lock.lock();
        try {
            config.reset(ResetKind.HOT);
            refresh();
        } finally {
            lock.unlock();
        }
    }

    void refresh() {
        assert lock.isHeldByCurrentThread();
        BridgeHeader bridge = config.bridge();
        Link link = express.link();
        boolean awake = config.awake();
        boolean up = kind == PortKind.UPSTREAM || link != null && link.active();
        PortState now =
                new PortState(
                        bridge.primary(),
                        bridge.secondary(),
                        bridge.subordinate(),
                        bridge.memoryBase(),
                        bridge.memoryLimit(),
                        bridge.prefetchBase(),
                        bridge.prefetchLimit(),
                        bridge.ioBase(),
                        bridge.ioLimit(),
                        awake && bridge.io(),
                        bridge.isaEnable(),
                        awake && bridge.memory(),
                        awake && bridge.busMaster(),
                        up && !bridge.secondaryReset(),
                        acs == null ? 0 : acs.control(),
                        egress());
        if (!now.equals(state)) {
            state = now;
            fabric.changed();
        }
    }

    private long egress() {
        long bits = 0;
        for (int i = 0; acs != null && i < 32; i++) {
            bits |= acs.egressBlocked(i) ? 1L << i : 0;
        }
        return bits;
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
        return (int) (configRead(8, 4) >>> 8);
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // the very port
    public boolean isPresent() {
        for (Port port = this; port != null; port = port.bus().parent) {
            if (port.bus().at(port.key()) != port) {
                return false;
            }
        }
        return true;
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        throw noBar(index, false);
    }

    @Override
    public long read(int index, long offset, int bytes) {
        return ones(bytes);
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {}

    @Override
    public void enable(boolean memory, boolean busMaster) {
        int both = COMMAND_MEMORY | COMMAND_MASTER;
        int bits = (memory ? COMMAND_MEMORY : 0) | (busMaster ? COMMAND_MASTER : 0);
        update(COMMAND, 2, ~both, bits);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        throw new ErrnoException(Errno.EINVAL, this + " has no vector " + vector);
    }
}
