package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
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
import org.peerlane.bus.pcie.config.PcieError;
import org.peerlane.bus.pcie.config.PortLayout;
import org.peerlane.bus.pcie.config.Slot;
import org.peerlane.bus.pcie.config.SlotLayout;
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
    private static final int RED_HAT = 0x1B36;
    private static final int ROOT_PORT_ID = 0x000C;
    private static final int SWITCH_PORT_ID = 0x0013; // and the port's type; ids of our own

    /** SV, TB, RR, CR, UF and DT (PC-31), and egress control over 32 ports. */
    private static final CapabilityLayout.Acs ACS =
            new CapabilityLayout.Acs(PortLayout.ACS_BITS | PortState.EGRESS_CONTROL, 32);

    private final PortKind kind;
    private final boolean hotplug;
    private final int busReserve;
    private final long memoryReserve;
    private final long prefetchReserve;
    private final Bus secondary;

    /** Guarded by lock. */
    private final FunctionConfig config;

    private final ErrorLog errors;

    private final Express express;
    private final @Nullable Slot slot;
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
        memoryReserve = hotplug ? board.memoryReserve() : 0;
        prefetchReserve = hotplug ? board.prefetchReserve() : 0;
        secondary = new Bus(bus.host, this);
        config = FunctionConfig.port(layout(board, kind, number >>> 3));
        errors = new ErrorLog(this, config);
        Express found = config.express();
        if (found == null) {
            throw new AssertionError("a port without the Express capability");
        }
        express = found;
        slot = found.slot();
        acs = config.acs();
    }

    private static PortLayout layout(PortConfig board, PortKind kind, int portNumber) {
        boolean down = kind != PortKind.UPSTREAM;
        SlotLayout slot =
                !down
                        ? null
                        : board.hotplug()
                                ? SlotLayout.hotPlug(portNumber)
                                : new SlotLayout(
                                        portNumber, false, false, false, false, false, false);
        int deviceId = kind == PortKind.ROOT ? ROOT_PORT_ID : SWITCH_PORT_ID + kind.type.code();
        PortLayout usual = PortLayout.of(kind.type, RED_HAT, deviceId, portNumber, slot);
        List<CapabilityLayout> capabilities = new ArrayList<>(usual.capabilities());
        capabilities.removeIf(CapabilityLayout.Acs.class::isInstance);
        if (board.acs() && down) {
            capabilities.add(ACS);
        }
        return new PortLayout(kind.type, RED_HAT, deviceId, 0, portNumber, 1, slot, capabilities);
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
        int effects;
        boolean before;
        boolean after;
        boolean notice;
        lock.lock();
        try {
            before = dark();
            effects = config.write(offset, bytes, value);
            if ((effects & Effect.POWER_RESET) != 0) {
                config.reset(ResetKind.POWER);
            }
            after = dark();
            darkenings += after && !before ? 1 : 0;
            notice = (effects & Effect.SLOT_INTERRUPT) != 0 && slot != null && slot.notice();
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
        Link link = express.link();
        boolean cut = slot != null && slot.present() && link != null && !link.active();
        return config.bridge().secondaryReset() || cut;
    }

    /** Something soldered to the board is below. */
    void populate() {
        lock.lock();
        try {
            if (slot != null) {
                slot.populate();
            }
            refresh();
        } finally {
            lock.unlock();
        }
    }

    /** Something has come into the slot below, or has left it (PC-68, PC-69). */
    void presence(boolean there) {
        boolean notice;
        ErrorMessage message = ErrorMessage.NONE;
        lock.lock();
        try {
            if (slot == null || slot.present() == there) {
                return;
            }
            Link link = express.link();
            boolean reports = !there && link != null && link.active() && link.reportsSurpriseDown();
            slot.presence(there);
            if (reports) {
                message = config.errors().uncorrectable(PcieError.SURPRISE_DOWN, false, 0, 0, 0, 0);
            }
            notice = slot.notice();
            refresh();
        } finally {
            lock.unlock();
        }
        fabric.report(this, message);
        if (notice) {
            interrupt();
        }
    }

    /** Somebody presses the attention button. {@return whether it was heard (PC-70)} */
    boolean pressButton() {
        boolean heard;
        boolean notice;
        lock.lock();
        try {
            heard = slot != null && slot.pressButton();
            notice = slot != null && slot.notice();
        } finally {
            lock.unlock();
        }
        if (notice) {
            interrupt();
        }
        return heard;
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
    private void interrupt() {
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

    private void refresh() {
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
    public boolean isPresent() {
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
        writeConfig(COMMAND, 2, readConfig(COMMAND, 2) & ~both | bits);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        throw new ErrnoException(Errno.EINVAL, this + " has no vector " + vector);
    }
}
