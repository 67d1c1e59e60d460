package org.peerlane.bus.pcie;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.AtsDevice;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.bus.api.IoPorts;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.config.BarRegisters;
import org.peerlane.bus.pcie.config.CapabilityId;
import org.peerlane.bus.pcie.config.ExpressType;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.MsiX;
import org.peerlane.bus.pcie.config.MsiXTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * One function of a device in its place: config space, decode, resets, presence.
 *
 * <p><b>Life.</b> Present from the constructor until {@link #depart}; {@link #close} once, after.
 *
 * <p><b>Locks.</b> {@code bus.reset}, then {@code bus.messages}, then {@code bus.function}, which
 * guards config space. The model is called without {@code bus.function}; see {@link EndpointLife}.
 */
final class Endpoint extends BusFunction {
    static final int BARS = BarRegisters.BARS;

    /** The function that has made this one; null: none. */
    private final @Nullable Endpoint physical;

    private final DeviceModel model;
    private final FunctionLayout layout;
    private final EndpointBars bars;
    private final EndpointRegisters registers;
    private final FunctionDmaPort port;
    private final AtsFunction ats;
    private final PostedWrites posted;
    private final InterruptKinds hostInterrupts;

    /** Guarded by lock. */
    private final FunctionConfig config;

    private final ErrorLog errors;
    private final EndpointLife life;
    private final EndpointConfig software;

    private volatile VirtualState virtualState = VirtualState.NONE;

    /** Set before the first access; null: it makes no virtual functions. */
    private volatile @Nullable VirtualSet virtuals;

    /**
     * @throws RuntimeException what the model threw when it was asked for its layout
     */
    Endpoint(
            Fabric fabric,
            Bus bus,
            int number,
            String slot,
            FunctionDmaPort port,
            FunctionInterrupts interrupts,
            AtsFunction ats,
            DeviceModel model) {
        this(fabric, bus, number, slot, port, interrupts, ats, model, null, 0);
    }

    /** A virtual function. */
    Endpoint(
            Endpoint physical,
            int vf,
            int key,
            String slot,
            FunctionDmaPort port,
            FunctionInterrupts interrupts,
            AtsFunction ats,
            DeviceModel model) {
        this(
                physical.fabric,
                physical.bus(),
                key,
                slot,
                port,
                interrupts,
                ats,
                model,
                physical,
                vf);
    }

    private Endpoint(
            Fabric fabric,
            Bus bus,
            int key,
            String slot,
            FunctionDmaPort port,
            FunctionInterrupts interrupts,
            AtsFunction ats,
            DeviceModel model,
            @Nullable Endpoint physical,
            int vf) {
        super(fabric, bus, key, slot);
        this.physical = physical;
        this.port = port;
        this.ats = ats;
        this.model = model;
        layout = model.layout();
        bars = new EndpointBars(layout, physical == null ? null : physical.bars, vf);
        ExpressType type =
                bus.parent == null ? ExpressType.ROOT_COMPLEX_ENDPOINT : ExpressType.ENDPOINT;
        config =
                physical == null
                        ? FunctionConfig.endpoint(layout, type)
                        : FunctionConfig.virtualFunction(physical.layout, layout.capabilities());
        errors = new ErrorLog(this, config);
        life = new EndpointLife(this, fabric, model, interrupts, ats, port);
        MsiX msiX = config.msiX();
        MsiXTable table =
                msiX == null
                        ? null
                        : new MsiXTable(msiX.vectors(), port::message, fabric.execution);
        interrupts.table(table);
        registers = new EndpointRegisters(this, fabric, model, bars.layouts(), msiX, table);
        posted = new PostedWrites(this, fabric);
        IntxLine line = fabric.intx.of(this, config.intx().pin());
        software = new EndpointConfig(this, config, life, bars, interrupts, ats, line);
        hostInterrupts = new InterruptKinds(this, fabric, line);
        interrupts.endpoint(this);
        ats.function(this);
        ats.device(model instanceof AtsDevice told ? told : null);
        port.function(this);
        if (physical == null) {
            captured();
        }
        lock.lock();
        try {
            software.refresh();
        } finally {
            lock.unlock();
        }
    }

    /** Says who makes its virtual functions. */
    void virtuals(VirtualSet set) {
        virtuals = set;
    }

    /** {@return its virtual functions; null: it makes none} */
    @Nullable VirtualSet virtuals() {
        return virtuals;
    }

    /** {@return what config space says of its virtual functions} */
    VirtualState virtualState() {
        return virtualState;
    }

    /** Config space says something else of them. */
    void virtualState(VirtualState now) {
        virtualState = now;
    }

    /** {@return what the physical function says of its virtual ones; of others, nothing} */
    VirtualState stateOfPhysical() {
        return physical == null ? VirtualState.NONE : physical.virtualState;
    }

    @Override
    boolean isVirtual() {
        return physical != null;
    }

    @Override
    int device() {
        return physical == null ? super.device() : physical.device();
    }

    /** A virtual function has the bus number of its physical one. */
    @Override
    void capture(int busNumber) {
        if (physical == null) {
            super.capture(busNumber);
        }
    }

    FunctionLayout layout() {
        return layout;
    }

    FunctionDmaPort port() {
        return port;
    }

    PostedWrites posted() {
        return posted;
    }

    EndpointRegisters registers() {
        return registers;
    }

    AtsFunction ats() {
        return ats;
    }

    long generation() {
        return life.generation();
    }

    EndpointBars bars() {
        return bars;
    }

    /** {@return whether functions of the same device are reached inside it (PC-60)} */
    boolean reachesSiblings() {
        lock.lock();
        try {
            return config.acs() == null || !config.acs().redirects();
        } finally {
            lock.unlock();
        }
    }

    @Override
    void captured() {
        int before = port.requester();
        int now = bus().host.config().segment() << 16 | requesterId();
        port.requester(now);
        fabric.requesters.remove(before, this);
        if (physical == null) {
            fabric.requesters.put(now, this);
        } else {
            fabric.requesters.putIfFree(now, this);
        }
        VirtualSet set = virtuals;
        if (set != null) {
            set.renumber();
        }
    }

    @Override
    public int vendorId() {
        return layout.vendorId();
    }

    @Override
    public int deviceId() {
        return layout.deviceId();
    }

    @Override
    public int classCode() {
        return layout.classCode();
    }

    @Override
    public boolean isPresent() {
        return life.isPresent();
    }

    @Override
    OptionalInt findCapability(CapabilityId id) {
        return config.capabilities().stream()
                .filter(one -> one.id() == id)
                .mapToInt(one -> one.at())
                .findFirst();
    }

    @Override
    long configRead(int offset, int bytes) {
        return software.read(offset, bytes);
    }

    @Override
    void configWrite(int offset, int bytes, long value) {
        software.write(offset, bytes, 0, value);
    }

    /** {@return how software and the rest of the bus see its config space} */
    EndpointConfig config() {
        return software;
    }

    /** The physical function has changed what is its own to say. */
    void followPhysical() {
        boolean moved;
        lock.lock();
        try {
            moved = software.refresh();
        } finally {
            lock.unlock();
        }
        if (moved) {
            fabric.changed();
        }
    }

    void followVirtuals() {
        VirtualSet set = virtuals;
        if (set != null) {
            set.follow();
        }
    }

    /** A port above holds its link in reset: the life is over (PC-63). */
    void holdInReset() {
        life.hold();
    }

    /** The port lets go of it. */
    void release(ResetKind kind) {
        life.release(kind);
    }

    @Override
    ErrorLog errors() {
        return errors;
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        @Nullable BarLayout[] all = bars.layouts();
        boolean exists =
                index == BarRegisters.ROM
                        ? bars.rom() != null
                        : index >= 0 && index < BARS && all[index] != null && !all[index].io();
        long base = exists ? bars.placeOf(index) : 0;
        if (base == 0) {
            throw noBar(index, exists);
        }
        return AddressRange.ofLength(
                new PhysicalAddress(base - bus().host.offset()), bars.bytes(index));
    }

    @Override
    public IoPorts ports(int index) {
        long base = index < 0 || index >= BARS ? 0 : bars.portsOf(index);
        if (base == 0) {
            return super.ports(index);
        }
        return new IoPorts(base, (int) bars.bytes(index));
    }

    @Override
    public void enablePorts(boolean on) {
        software.write(COMMAND, 2, ~COMMAND_IO, on ? COMMAND_IO : 0);
    }

    @Override
    public void resizeBar(int index, long bytes) {
        fabric.resizer().resize(this, index, bytes);
    }

    @Override
    public long read(int index, long offset, int bytes) {
        return registers.read(index, offset, bytes);
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {
        registers.write(index, offset, bytes, value);
    }

    @Override
    public void enable(boolean memory, boolean busMaster) {
        int both = COMMAND_MEMORY | COMMAND_MASTER;
        int bits = (memory ? COMMAND_MEMORY : 0) | (busMaster ? COMMAND_MASTER : 0);
        software.write(COMMAND, 2, ~both, bits);
    }

    /** Kernel counterpart: {@code pci_intx()}. */
    void allowIntx() {
        software.write(COMMAND, 2, ~COMMAND_INTX_DISABLE, 0);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        return hostInterrupts.request(hostInterrupts.usual(), vector, handler);
    }

    @Override
    public int vectors(InterruptKind kind) {
        return hostInterrupts.vectors(kind);
    }

    @Override
    public AutoCloseable requestInterrupt(InterruptKind kind, int vector, Runnable handler) {
        return hostInterrupts.request(kind, vector, handler);
    }

    /** Takes every handler back that is still there; waits for those that run. */
    void releaseInterrupts() {
        hostInterrupts.releaseAll();
    }

    @Override
    public void waitForPendingTransactions() {
        port.settle();
    }

    /** Bus master off, and what was under way has landed. */
    void stopBusMaster() {
        software.write(COMMAND, 2, ~COMMAND_MASTER, 0);
        port.settle();
    }

    /**
     * The function is not there any more; when it returns, nothing of it or to it is under way.
     *
     * @param byHand what had left it still arrives (PC-68); else it is dropped (PC-62)
     */
    void depart(boolean byHand) {
        life.end(byHand);
    }

    /** After {@link #depart} and the driver: ends the device. */
    void close() {
        releaseInterrupts();
        posted.close();
        port.close();
        registers.drain();
        life.callModel("close", model::close);
        hostInterrupts.close();
    }
}
