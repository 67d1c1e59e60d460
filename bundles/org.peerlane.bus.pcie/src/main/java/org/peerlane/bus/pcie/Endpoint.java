package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.AtsDevice;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * One function in its slot: config space, BAR decode, registers, resets.
 *
 * <p><b>Life.</b> Present from the constructor until {@link #depart}; {@link #close} once, after.
 *
 * <p><b>Locks.</b> {@code bus.reset}, then {@code bus.function}, which guards config space. The
 * model is called without {@code bus.function}: its reset may wait for an engine of the device, and
 * that engine may be in a DMA. Routes are made ({@code bus.topology}) without it, too.
 */
final class Endpoint extends BusFunction {
    private static final Logger LOG = LogManager.getLogger(Endpoint.class);

    static final int BARS = Type0.BARS;

    private final DeviceModel model;
    private final FunctionLayout layout;
    private final @Nullable BarLayout[] bars = new BarLayout[Type0.BARS];
    private final FunctionDmaPort port;
    private final MsiPort msi;
    private final AtsFunction ats;
    private final PostedWrites posted;
    private final HostInterrupts hostInterrupts;
    private final InFlight accesses;
    private final AtomicBoolean modelThrew = new AtomicBoolean();

    /** Serialises resets and the departure. */
    private final NamedLock resetLock;

    /** Guarded by lock. */
    private final ConfigSpace config;

    /** Guarded by lock. */
    private final BarDecode decode;

    /** Guarded by lock. */
    private long lives = 1;

    /** How many resets are under way. Guarded by lock. */
    private int resetting;

    /** Where the enumerator has put the BARs; 0: nowhere. Written by the life-cycle thread. */
    private volatile long[] resources = new long[Type0.BARS];

    private volatile boolean present = true;
    private volatile long generation = 1; // the number of the life

    /** Where BARs want to decode; 0: not. Never changed once published. */
    private volatile long[] wanted = new long[Type0.BARS];

    /** Which BARs the CPU reaches, as of one epoch. */
    private volatile Reach reach = new Reach(-1, 0, 0);

    /**
     * What of the BARs the CPU gets to.
     *
     * @param epoch when that was
     * @param whole one bit per BAR that answers everywhere
     * @param part one bit per BAR that answers in places
     */
    private record Reach(long epoch, int whole, int part) {}

    /**
     * @throws RuntimeException what the model threw when it was asked for its layout
     */
    Endpoint(
            Fabric fabric,
            Bus bus,
            int number,
            String slot,
            FunctionDmaPort port,
            MsiPort msi,
            AtsFunction ats,
            DeviceModel model) {
        super(fabric, bus, number, slot);
        this.port = port;
        this.msi = msi;
        this.ats = ats;
        ats.device(model instanceof AtsDevice told ? told : null);
        this.model = model;
        layout = model.layout();
        layout.bars().forEach(bar -> bars[bar.index()] = bar);
        config = Type0.of(layout);
        decode = new BarDecode(config, layout);
        resetLock = fabric.execution.lock("bus.reset");
        posted = new PostedWrites(this, fabric);
        hostInterrupts = new HostInterrupts(this, fabric);
        accesses = new InFlight(fabric.execution, "bus.register-accesses");
        port.function(this);
        captured();
        port.state(generation, DmaResult.BUS_MASTER_OFF);
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

    long generation() {
        return generation;
    }

    /** {@return where a BAR decodes, as a bus address; 0: not} */
    long base(int bar) {
        return wanted[bar];
    }

    long barBytes(int bar) {
        BarLayout layout = bars[bar];
        return layout == null ? 0 : layout.bytes();
    }

    /** {@return what is behind a BAR that behaves like memory, or null} */
    @Nullable MemorySegment memoryOf(int bar) {
        BarLayout layout = bars[bar];
        return layout == null ? null : layout.memory();
    }

    /** {@return whether functions of the same device are reached inside it (PC-60)} */
    boolean reachesSiblings() {
        return true;
    }

    @Override
    void captured() {
        int before = port.requester();
        int now = bus().host.config().segment() << 16 | requesterId();
        port.requester(now);
        fabric.requesters.remove(before, this);
        fabric.requesters.put(now, this);
    }

    AtsFunction ats() {
        return ats;
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
    long configRead(int offset, int bytes) {
        lock.lock();
        try {
            if (!present) {
                return ConfigSpace.ones(bytes);
            }
            if (layout.msiVectors() != 0) {
                config.set(Type0.MSI_PENDING, 4, msi.pending());
            }
            return withMultifunction(offset, bytes, config.get(offset, bytes));
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
        long[] before;
        ResetKind reset;
        lock.lock();
        try {
            if (!present) {
                return;
            }
            before = wanted;
            value = config.get(offset, bytes) & kept | bits & ~kept;
            reset = change(offset, bytes, value);
        } finally {
            lock.unlock();
        }
        if (fabric.trace.configWrite.isOn()) {
            fabric.trace.configWrite.emit(
                    new BusEvents.ConfigWrite(address(), offset, bytes, value));
        }
        if (!Arrays.equals(before, wanted)) {
            fabric.changed();
        }
        if (reset != null) {
            finishReset(reset);
        } else {
            msi.sendPending();
        }
    }

    /** {@return the reset that the write has begun, or null} */
    private @Nullable ResetKind change(int offset, int bytes, long value) {
        assert lock.isHeldByCurrentThread();
        int power = power();
        config.write(offset, bytes, value);
        decode.written(offset);
        ResetKind reset = null;
        if (power() != power) {
            if (power() != Type0.D0 && power() != Type0.D3HOT) {
                config.set(Type0.PMCSR, 1, power); // a state it does not have (PC-24)
            } else if (power() == Type0.D0) {
                reset = ResetKind.POWER; // PC-26
            }
        }
        int flr = Type0.DEVCTL + 1; // the bit's byte
        if (offset <= flr
                && flr < offset + bytes
                && (value >>> (flr - offset) * 8 & Type0.DEVCTL_FLR >>> 8) != 0) {
            reset = ResetKind.FLR; // PC-61
        }
        if (reset != null) {
            beginReset();
        }
        refresh();
        return reset;
    }

    private int power() {
        return (int) config.get(Type0.PMCSR, 1) & Type0.PMCSR_STATE;
    }

    private int command() {
        return (int) config.get(Type0.COMMAND, 2);
    }

    /** Derives from config space what others look at without a lock. */
    private void refresh() {
        assert lock.isHeldByCurrentThread();
        boolean awake = present && power() == Type0.D0;
        boolean memory = awake && (command() & Type0.COMMAND_MSE) != 0;
        long[] now = decode.bases(memory);
        if (!Arrays.equals(now, wanted)) {
            wanted = now;
        }
        int refusal = DmaResult.OK;
        if (!present || resetting > 0) {
            refusal = DmaResult.GONE;
        } else if (!awake || (command() & Type0.COMMAND_BME) == 0) {
            refusal = DmaResult.BUS_MASTER_OFF;
        }
        if (present) {
            port.state(generation, refusal);
        } else {
            port.departed(generation);
        }
        msi.program(present ? programmedMsi() : MsiPort.Programmed.OFF);
    }

    private MsiPort.Programmed programmedMsi() {
        int control = (int) config.get(Type0.MSI_CONTROL, 2);
        if (layout.msiVectors() == 0 || (control & Type0.MSI_ENABLE) == 0) {
            return MsiPort.Programmed.OFF;
        }
        int vectors = Math.min(1 << (control >>> 4 & 7), layout.msiVectors());
        return new MsiPort.Programmed(
                vectors,
                config.get(Type0.MSI_ADDRESS, 8),
                (int) config.get(Type0.MSI_DATA, 2) & -vectors,
                (int) config.get(Type0.MSI_MASK, 4));
    }

    private void beginReset() {
        assert lock.isHeldByCurrentThread();
        generation = ++lives;
        resetting++;
        config.reset();
        decode.reset();
        msi.reset();
        ats.reset();
    }

    /** A port above holds its link in reset: the life is over (PC-63). */
    void holdInReset() {
        lock.lock();
        try {
            if (present) {
                beginReset();
                refresh();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The port lets go of it. */
    void release(ResetKind kind) {
        finishReset(kind);
    }

    /** Waits until nothing of the earlier life is on its way, then resets the model. */
    private void finishReset(ResetKind kind) {
        resetLock.lock();
        try {
            if (present) {
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

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        BarLayout bar = index < 0 || index >= bars.length ? null : bars[index];
        if (bar == null || resources[index] == 0) {
            throw noBar(index, bar != null);
        }
        return AddressRange.ofLength(
                new PhysicalAddress(resources[index] - bus().host.offset()), bar.bytes());
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
        return readRegister(answering(index, offset, bytes), offset, bytes, index);
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {
        writeRegister(answering(index, offset, bytes), offset, bytes, value, index);
    }

    /** A read that the fabric has routed to a BAR. */
    long arrivingRead(int index, long offset, int bytes) {
        return readRegister(decoding(index, offset, bytes), offset, bytes, index);
    }

    /** A write that the fabric has routed to a BAR. */
    void arrivingWrite(int index, long offset, int bytes, long value) {
        writeRegister(decoding(index, offset, bytes), offset, bytes, value, index);
    }

    private long readRegister(@Nullable BarLayout bar, long offset, int bytes, int index) {
        long value = ConfigSpace.ones(bytes);
        int section = accesses.enter();
        try {
            if (bar != null) {
                value =
                        bar.memory() != null
                                ? Access.get(bar.memory(), offset, bytes)
                                : ConfigSpace.ones(bytes) & model.read(index, offset, bytes);
            }
        } catch (RuntimeException | LinkageError | AssertionError e) {
            threw("a read of BAR " + index + " at 0x" + Long.toHexString(offset), e);
        } finally {
            accesses.exit(section);
        }
        if (fabric.trace.mmioRead.isOn()) {
            fabric.trace.mmioRead.emit(
                    new BusEvents.MmioRead(address(), index, offset, bytes, value));
        }
        return value;
    }

    private void writeRegister(
            @Nullable BarLayout bar, long offset, int bytes, long value, int index) {
        if (fabric.trace.mmioWrite.isOn()) {
            fabric.trace.mmioWrite.emit(
                    new BusEvents.MmioWrite(address(), index, offset, bytes, value));
        }
        int section = accesses.enter();
        try {
            if (bar == null) {
                return;
            }
            if (bar.memory() != null) {
                Access.set(bar.memory(), offset, bytes, value);
            } else {
                model.write(index, offset, bytes, value & ConfigSpace.ones(bytes));
            }
        } catch (RuntimeException | LinkageError | AssertionError e) {
            threw("a write of BAR " + index + " at 0x" + Long.toHexString(offset), e);
        } finally {
            accesses.exit(section);
        }
    }

    /** {@return the BAR that decodes, whoever it was that got there, or null} */
    private @Nullable BarLayout decoding(int index, long offset, int bytes) {
        BarLayout bar = wanted[index] == 0 ? null : bars[index];
        return bar != null && Access.fits(offset, bytes, bar.bytes()) ? bar : null;
    }

    /** {@return the BAR that answers a whole access, or null: nobody (PC-66)} */
    private @Nullable BarLayout answering(int index, long offset, int bytes) {
        if (index < 0 || index >= bars.length) {
            return null;
        }
        Reach now = reach;
        if (now.epoch() != fabric.epoch()) {
            now = look();
        }
        BarLayout bar = bars[index];
        if (bar == null || !Access.fits(offset, bytes, bar.bytes())) {
            return null;
        }
        if ((now.whole() >>> index & 1) != 0) {
            return bar;
        }
        return (now.part() >>> index & 1) != 0 && claims(index, offset) != null ? bar : null;
    }

    /** Finds out which BARs the CPU gets to over the ports as they are now. */
    private Reach look() {
        long epoch = fabric.epoch();
        int whole = 0;
        int part = 0;
        for (BarLayout bar : layout.bars()) {
            int index = bar.index();
            if (wanted[index] != 0) {
                Route route = claims(index, 0);
                boolean all = route != null && route.last() - route.first() >= bar.bytes() - 1;
                whole |= all ? 1 << index : 0;
                part |= all ? 0 : 1 << index;
            }
        }
        Reach now = new Reach(epoch, whole, part);
        reach = now;
        return now;
    }

    /** {@return the CPU's route to a byte of a BAR, or null: it ends elsewhere} */
    @SuppressWarnings("ReferenceEquality") // the very function
    private @Nullable Route claims(int index, long offset) {
        long base = wanted[index];
        if (base == 0) {
            return null;
        }
        Route route = fabric.router.fromRoot(null, base - bus().host.offset() + offset);
        return route.function() == this && route.bar() == index ? route : null;
    }

    private void threw(String what, Throwable e) {
        if (modelThrew.compareAndSet(false, true)) {
            LOG.error(
                    "{} ({}): the device threw at {}; not logged again",
                    address(),
                    slot(),
                    what,
                    e);
        }
    }

    private void callModel(String what, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | LinkageError | AssertionError e) {
            LOG.error("{} ({}): the device threw at {}", address(), slot(), what, e);
        }
    }

    @Override
    public void enable(boolean memory, boolean busMaster) {
        int both = Type0.COMMAND_MSE | Type0.COMMAND_BME;
        int bits = (memory ? Type0.COMMAND_MSE : 0) | (busMaster ? Type0.COMMAND_BME : 0);
        update(Type0.COMMAND, 2, ~both, bits);
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
        update(Type0.COMMAND, 2, ~Type0.COMMAND_BME, 0);
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
                msi.reset();
                refresh();
            } finally {
                lock.unlock();
            }
            fabric.remove(this);
            fabric.requesters.remove(port.requester(), this);
            ats.reset();
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
        accesses.drain();
        callModel("close", model::close);
        hostInterrupts.close();
    }
}
