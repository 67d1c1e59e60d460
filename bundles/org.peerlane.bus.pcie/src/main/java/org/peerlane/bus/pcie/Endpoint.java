package org.peerlane.bus.pcie;

import java.util.OptionalInt;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.AtsDevice;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.config.BarRegisters;
import org.peerlane.bus.pcie.config.CapabilityId;
import org.peerlane.bus.pcie.config.Effect;
import org.peerlane.bus.pcie.config.ExpressType;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Intx;
import org.peerlane.bus.pcie.config.Msi;
import org.peerlane.bus.pcie.config.MsiX;
import org.peerlane.bus.pcie.config.MsiXTable;
import org.peerlane.bus.pcie.config.Pri;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * One function of a device in its place: config space, decode, resets, presence.
 *
 * <p><b>Life.</b> Present from the constructor until {@link #depart}; {@link #close} once, after.
 *
 * <p><b>Locks.</b> {@code bus.reset}, then {@code bus.messages}, then {@code bus.function}, which
 * guards config space. The model is called without {@code bus.function}: its reset may wait for an
 * engine of the device, and that engine may be in a DMA.
 */
final class Endpoint extends BusFunction {
    private static final Logger LOG = LogManager.getLogger(Endpoint.class);

    static final int BARS = BarRegisters.BARS;

    /** What software sees of the ids while a function is not ready. */
    private static final long NOT_READY = 0xFFFF_0001L;

    /** The function that has made this one; null: none. */
    private final @Nullable Endpoint physical;

    private final DeviceModel model;
    private final FunctionLayout layout;
    private final EndpointBars bars;
    private final EndpointRegisters registers;
    private final FunctionDmaPort port;
    private final FunctionInterrupts interrupts;
    private final AtsFunction ats;
    private final PostedWrites posted;
    private final HostInterrupts hostInterrupts;

    /** Where its INTx ends; null: it has none. */
    private final @Nullable IntxLine line;

    /** Serialises resets and the departure. */
    private final NamedLock resetLock;

    /** Guarded by lock. */
    private final FunctionConfig config;

    private final ErrorLog errors;

    /** Guarded by lock. */
    private long lives = 1;

    /** How many resets are under way. Guarded by lock. */
    private int resetting;

    /** A port above holds it in reset. Guarded by lock. */
    private boolean held;

    /** It was pulled out: what had left it still arrives. Guarded by lock. */
    private boolean pulled;

    private volatile VirtualState virtualState = VirtualState.NONE;

    /** Set before the first access; null: it makes no virtual functions. */
    private volatile @Nullable VirtualSet virtuals;

    private volatile boolean present = true;
    private volatile long generation = 1; // the number of the life

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
        this.interrupts = interrupts;
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
        MsiX msiX = config.msiX();
        MsiXTable table =
                msiX == null
                        ? null
                        : new MsiXTable(msiX.vectors(), port::message, fabric.execution);
        interrupts.table(table);
        registers = new EndpointRegisters(this, fabric, model, bars.layouts(), msiX, table);
        resetLock = fabric.execution.lock("bus.reset");
        posted = new PostedWrites(this, fabric);
        line = fabric.intx.of(this, config.intx().pin());
        hostInterrupts = new HostInterrupts(this, fabric, line);
        interrupts.endpoint(this);
        ats.device(model instanceof AtsDevice told ? told : null);
        port.function(this);
        if (physical == null) {
            captured();
        }
        lock.lock();
        try {
            refresh();
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
        return generation;
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
        return present;
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
        lock.lock();
        try {
            if (!present) {
                return ones(bytes);
            }
            if (resetting == 0 || offset != 0 || bytes == 1) {
                return readNow(offset, bytes);
            }
        } finally {
            lock.unlock();
        }
        Port root = rootPort(); // it is told to ask again (PC-5)
        return root != null && root.retriesVisible() ? NOT_READY & ones(bytes) : ones(bytes);
    }

    private long readNow(int offset, int bytes) {
        assert lock.isHeldByCurrentThread();
        Msi msi = config.msi();
        if (msi != null) {
            msi.pending(interrupts.pendingMsi());
        }
        return withMultifunction(offset, bytes, config.read(offset, bytes));
    }

    @Override
    void configWrite(int offset, int bytes, long value) {
        update(offset, bytes, 0, value);
    }

    /** A write by software, of which the bits in {@code kept} are as they are. */
    private void update(int offset, int bytes, long kept, long bits) {
        long value;
        int effects;
        boolean moved;
        lock.lock();
        try {
            if (!present) {
                return;
            }
            value = config.read(offset, bytes) & kept | bits & ~kept;
            effects = config.write(offset, bytes, value);
            if ((effects & (Effect.FLR | Effect.POWER_RESET)) != 0) {
                beginReset((effects & Effect.FLR) != 0 ? ResetKind.FLR : ResetKind.POWER);
            }
            moved = refresh();
            driveIntx();
        } finally {
            lock.unlock();
        }
        if (fabric.trace.configWrite.isOn()) {
            fabric.trace.configWrite.emit(
                    new BusEvents.ConfigWrite(address(), offset, bytes, value));
        }
        if (moved || (effects & Effect.ACS) != 0) {
            fabric.changed();
        }
        if ((effects & (Effect.FLR | Effect.POWER_RESET)) != 0) {
            finishReset((effects & Effect.FLR) != 0 ? ResetKind.FLR : ResetKind.POWER);
        } else if (effects != 0) {
            interrupts.apply(lock, config, true);
            followVirtuals();
        }
    }

    /** Derives from config space what others look at without a lock. {@return BARs have moved} */
    private boolean refresh() {
        assert lock.isHeldByCurrentThread();
        VirtualState of = physical == null ? VirtualState.NONE : physical.virtualState;
        virtualState =
                VirtualState.of(
                        virtualState, config.srIov(), present && resetting == 0, config.awake());
        boolean moved = bars.follow(config, present && resetting == 0, of);
        int refusal = DmaResult.OK;
        if (!present || resetting > 0) {
            refusal = DmaResult.GONE;
        } else if (!config.mayMaster() || physical != null && !of.awake) {
            refusal = DmaResult.BUS_MASTER_OFF;
        }
        if (pulled) {
            port.departed(generation);
        } else {
            port.state(generation, refusal);
        }
        ats.program(present ? programmedAts() : AtsFunction.Programmed.OFF);
        return moved;
    }

    /** The physical function has changed what is its own to say. */
    void followPhysical() {
        boolean moved;
        lock.lock();
        try {
            moved = refresh();
        } finally {
            lock.unlock();
        }
        if (moved) {
            fabric.changed();
        }
    }

    private void followVirtuals() {
        VirtualSet set = virtuals;
        if (set != null) {
            set.follow();
        }
    }

    private AtsFunction.Programmed programmedAts() {
        Pri pri = config.pri();
        return new AtsFunction.Programmed(
                config.ats() != null && config.ats().enabled(),
                pri != null && pri.enabled(),
                pri == null ? 0 : (int) Math.min(Integer.MAX_VALUE, pri.allowed()));
    }

    /** The device says whether it wants attention. */
    void intx(boolean level) {
        lock.lock();
        try {
            if (present && resetting == 0) {
                config.intx().level(level);
                driveIntx();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends the message that makes the line know; with the lock, so they keep their order. */
    private void driveIntx() {
        assert lock.isHeldByCurrentThread();
        Intx.Edge edge = config.intx().update();
        if (line != null && edge != Intx.Edge.NONE) {
            line.message(this, edge == Intx.Edge.ASSERT);
        }
    }

    private void beginReset(ResetKind kind) {
        assert lock.isHeldByCurrentThread();
        generation = ++lives;
        resetting++;
        config.reset(kind);
        driveIntx();
        interrupts.reset();
        ats.reset();
    }

    /** A port above holds its link in reset: the life is over (PC-63). */
    void holdInReset() {
        lock.lock();
        try {
            if (present && !held) {
                held = true;
                beginReset(ResetKind.HOT);
                refresh();
            }
        } finally {
            lock.unlock();
        }
        fabric.changed();
        followVirtuals();
    }

    /** The port lets go of it. */
    void release(ResetKind kind) {
        boolean was;
        lock.lock();
        try {
            was = held;
            held = false;
        } finally {
            lock.unlock();
        }
        if (was) {
            finishReset(kind);
        }
    }

    /** Waits until nothing of the earlier life is on its way, then resets the model. */
    private void finishReset(ResetKind kind) {
        followVirtuals();
        resetLock.lock();
        try {
            if (present) {
                interrupts.apply(lock, config, true);
                port.drain();
                fabric.drain(); // peers that were on their way to our BARs
                callModel("reset", () -> model.reset(kind));
            }
            boolean moved;
            lock.lock();
            try {
                resetting--;
                moved = refresh();
            } finally {
                lock.unlock();
            }
            if (moved) {
                fabric.changed();
            }
        } finally {
            resetLock.unlock();
        }
        followVirtuals();
        if (fabric.trace.reset.isOn()) {
            fabric.trace.reset.emit(new BusEvents.FunctionReset(address(), kind));
        }
    }

    @Override
    ErrorLog errors() {
        return errors;
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        @Nullable BarLayout[] all = bars.layouts();
        boolean exists = index >= 0 && index < BARS && all[index] != null;
        long base = exists ? bars.placeOf(index) : 0;
        if (base == 0) {
            throw noBar(index, exists);
        }
        return AddressRange.ofLength(
                new PhysicalAddress(base - bus().host.offset()), bars.bytes(index));
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
        update(COMMAND, 2, ~both, bits);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        return hostInterrupts.request(vector, handler);
    }

    /** Takes every handler back that is still there; waits for those that run. */
    void releaseInterrupts() {
        hostInterrupts.releaseAll();
    }

    /** Bus master off, and what was under way has landed. */
    void stopBusMaster() {
        update(COMMAND, 2, ~COMMAND_MASTER, 0);
        port.settle();
    }

    /**
     * The function is not there any more; when it returns, nothing of it or to it is under way.
     *
     * @param byHand what had left it still arrives (PC-68); else it is dropped (PC-62)
     */
    void depart(boolean byHand) {
        resetLock.lock();
        try {
            lock.lock();
            try {
                present = false;
                pulled = byHand;
                generation = ++lives;
                config.intx().level(false);
                driveIntx();
                interrupts.reset();
                refresh();
            } finally {
                lock.unlock();
            }
            fabric.remove(this);
            fabric.requesters.remove(port.requester(), this);
            ats.reset();
            interrupts.apply(lock, config, false);
            port.settle();
            fabric.drain();
            fabric.forget(this);
        } finally {
            resetLock.unlock();
        }
        followVirtuals();
    }

    /** After {@link #depart} and the driver: ends the device. */
    void close() {
        releaseInterrupts();
        posted.close();
        port.close();
        registers.drain();
        callModel("close", model::close);
        hostInterrupts.close();
    }

    private void callModel(String what, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            LOG.error("{}: the device threw at {}", this, what, e);
        }
    }
}
