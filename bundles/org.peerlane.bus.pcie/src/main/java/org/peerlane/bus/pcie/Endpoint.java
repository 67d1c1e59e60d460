package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
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
import org.peerlane.bus.pcie.config.ErrorMessage;
import org.peerlane.bus.pcie.config.Express;
import org.peerlane.bus.pcie.config.ExpressType;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Msi;
import org.peerlane.bus.pcie.config.MsiX;
import org.peerlane.bus.pcie.config.MsiXTable;
import org.peerlane.bus.pcie.config.PcieError;
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

    private final DeviceModel model;
    private final FunctionLayout layout;
    private final @Nullable BarLayout[] bars = new BarLayout[BARS];
    private final EndpointRegisters registers;
    private final FunctionDmaPort port;
    private final FunctionInterrupts interrupts;
    private final AtsFunction ats;
    private final PostedWrites posted;
    private final HostInterrupts hostInterrupts;

    /** Serialises resets and the departure. */
    private final NamedLock resetLock;

    /** Guarded by lock. */
    private final FunctionConfig config;

    /** Guarded by lock. */
    private final long[] bases = new long[BarRegisters.ROM + 1];

    /** Guarded by lock. */
    private long lives = 1;

    /** How many resets are under way. Guarded by lock. */
    private int resetting;

    /** A port above holds it in reset. Guarded by lock. */
    private boolean held;

    /** Where the enumerator has put the BARs; 0: nowhere. Written by the life-cycle thread. */
    private volatile long[] resources = new long[BARS];

    private volatile boolean present = true;
    private volatile long generation = 1; // the number of the life

    /** Where BARs decode; 0: not. Never changed once published. */
    private volatile long[] decoding = new long[BARS];

    /** Bytes of the BARs; a resizable one may change. Never changed once published. */
    private volatile long[] sizes = new long[BARS];

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
        super(fabric, bus, number, slot);
        this.port = port;
        this.interrupts = interrupts;
        this.ats = ats;
        this.model = model;
        layout = model.layout();
        layout.bars().forEach(bar -> bars[bar.index()] = bar);
        ExpressType type =
                bus.parent == null ? ExpressType.ROOT_COMPLEX_ENDPOINT : ExpressType.ENDPOINT;
        config = FunctionConfig.endpoint(layout, type);
        MsiX msiX = config.msiX();
        MsiXTable table =
                msiX == null
                        ? null
                        : new MsiXTable(msiX.vectors(), port::message, fabric.execution);
        interrupts.table(table);
        registers = new EndpointRegisters(this, fabric, model, bars, msiX, table);
        resetLock = fabric.execution.lock("bus.reset");
        posted = new PostedWrites(this, fabric);
        hostInterrupts = new HostInterrupts(this, fabric);
        ats.device(model instanceof AtsDevice told ? told : null);
        port.function(this);
        captured();
        lock.lock();
        try {
            refresh();
        } finally {
            lock.unlock();
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

    /** {@return where a BAR decodes, as a bus address; 0: not} */
    long base(int bar) {
        return decoding[bar];
    }

    long barBytes(int bar) {
        return sizes[bar];
    }

    /** {@return what is behind a BAR that behaves like memory, or null} */
    @Nullable MemorySegment memoryOf(int bar) {
        BarLayout behind = bars[bar];
        return behind == null ? null : behind.memory();
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
        fabric.requesters.put(now, this);
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
            Msi msi = config.msi();
            if (msi != null) {
                msi.pending(interrupts.pendingMsi());
            }
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
        }
    }

    /** Derives from config space what others look at without a lock. {@return BARs have moved} */
    private boolean refresh() {
        assert lock.isHeldByCurrentThread();
        config.bases(bases);
        long[] now = new long[BARS];
        long[] bytes = new long[BARS];
        for (int i = 0; i < BARS; i++) {
            BarLayout bar = bars[i];
            boolean memory = present && bar != null && !bar.io();
            now[i] = memory ? bases[i] : 0;
            bytes[i] = config.bars().bytes(i);
        }
        boolean moved = !Arrays.equals(now, decoding) || !Arrays.equals(bytes, sizes);
        if (moved) {
            sizes = bytes;
            decoding = now;
        }
        int refusal = DmaResult.OK;
        if (!present || resetting > 0) {
            refusal = DmaResult.GONE;
        } else if (!config.mayMaster()) {
            refusal = DmaResult.BUS_MASTER_OFF;
        }
        if (present) {
            port.state(generation, refusal);
        } else {
            port.departed(generation);
        }
        ats.program(present ? programmedAts() : AtsFunction.Programmed.OFF);
        return moved;
    }

    private AtsFunction.Programmed programmedAts() {
        Pri pri = config.pri();
        return new AtsFunction.Programmed(
                config.ats() != null && config.ats().enabled(),
                pri != null && pri.enabled(),
                pri == null ? 0 : (int) Math.min(Integer.MAX_VALUE, pri.allowed()));
    }

    private void beginReset(ResetKind kind) {
        assert lock.isHeldByCurrentThread();
        generation = ++lives;
        resetting++;
        config.reset(kind);
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
        resetLock.lock();
        try {
            if (present) {
                interrupts.apply(lock, config, true);
                port.drain();
                fabric.drain(); // peers that were on their way to our BARs
                callModel("reset", () -> model.reset(kind));
            }
            lock.lock();
            try {
                resetting--;
                refresh();
            } finally {
                lock.unlock();
            }
        } finally {
            resetLock.unlock();
        }
        if (fabric.trace.reset.isOn()) {
            fabric.trace.reset.emit(new BusEvents.FunctionReset(address(), kind));
        }
    }

    /**
     * An error of a request of this function's, or of one that came to it, is logged (PC-33).
     *
     * @param advisory whoever asked knows already
     */
    void error(PcieError error, boolean advisory, Tlp request) {
        ErrorMessage message;
        lock.lock();
        try {
            if (!present) {
                return;
            }
            if (error == PcieError.UNSUPPORTED_REQUEST && !advisory) {
                config.header().receivedMasterAbort();
            } else if (error == PcieError.COMPLETER_ABORT) {
                config.header().receivedTargetAbort();
            }
            message =
                    config.errors()
                            .uncorrectable(
                                    error,
                                    advisory,
                                    request.dword(0),
                                    request.dword(1),
                                    request.dword(2),
                                    request.dword(3));
        } finally {
            lock.unlock();
        }
        fabric.report(this, message);
    }

    /** {@return how long a read of this function's waits for its completion (PC-67)} */
    long completionTimeoutNanos() {
        lock.lock();
        try {
            Express express = config.express();
            return express == null ? 50_000_000L : express.completionTimeoutNanos();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        BarLayout bar = index < 0 || index >= bars.length ? null : bars[index];
        if (bar == null || resources[index] == 0) {
            throw noBar(index, bar != null);
        }
        return AddressRange.ofLength(
                new PhysicalAddress(resources[index] - bus().host.offset()), sizes[index]);
    }

    /** Says where the enumerator has put a BAR; 0: nowhere. */
    void resource(int index, long base) {
        long[] now = resources.clone();
        now[index] = base;
        resources = now;
    }

    /** {@return where the BARs are; 0: nowhere} */
    long[] resources() {
        return resources;
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

    /** The function is not there any more; when it returns, nothing of it or to it is under way. */
    void depart() {
        resetLock.lock();
        try {
            lock.lock();
            try {
                present = false;
                generation = ++lives;
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
        } finally {
            resetLock.unlock();
        }
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

    /** {@return the BARs that it has} */
    List<BarLayout> barLayouts() {
        return layout.bars();
    }
}
