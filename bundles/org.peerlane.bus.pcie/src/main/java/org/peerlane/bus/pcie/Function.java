package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceSlot;
import org.peerlane.bus.api.DmaPort;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.InterruptPort;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/**
 * A function in its slot: config space, decoding, resets, and both of its views, the device's and
 * the driver's.
 *
 * <p><b>Life.</b> Made empty, {@link #attach}ed to its device model, on the bus until {@link
 * #detach}; afterwards it is absent (PC-4).
 *
 * <p><b>Locks.</b> {@code bus.config} guards config space and pending interrupts. It is not held
 * while the model is called, nor while routes are rebuilt.
 */
final class Function implements PcieFunction, DeviceSlot {
    private static final Logger LOG = LogManager.getLogger(Function.class);

    private final PcieRoot root;
    private final PcieAddress address;
    private final String slot;
    private final Map<String, Object> options;
    private final Execution execution;
    private final Tracer tracer;
    private final Gate gate;
    private final FunctionDma dma;
    private final MsiCapability msi;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final ConfigSpace config = new ConfigSpace();

    private final Tracepoint<BusEvents.MmioRead> mmioReads;
    private final Tracepoint<BusEvents.MmioWrite> mmioWrites;
    private final Tracepoint<BusEvents.ConfigWrite> configWrites;
    private final Tracepoint<BusEvents.FunctionReset> resets;
    private volatile @Nullable DeviceModel model;
    private volatile boolean present;
    private @Nullable Header header;
    private List<BarLayout> bars = List.of();

    /** Bit n: BAR n decodes. */
    private volatile int decoding;

    Function(
            PcieRoot root,
            PcieAddress address,
            String slot,
            Map<String, Object> options,
            Execution execution,
            Tracer tracer) {
        this.root = root;
        this.address = address;
        this.slot = slot;
        this.options = Map.copyOf(options);
        this.execution = execution;
        this.tracer = tracer;
        gate = new Gate(execution);
        lock = execution.lock("bus.config");
        dma = new FunctionDma(root, this, gate, execution, tracer);
        msi = new MsiCapability(root, this, gate, dma, lock, config, tracer);
        mmioReads = tracer.point(BusEvents.MmioRead.class);
        mmioWrites = tracer.point(BusEvents.MmioWrite.class);
        configWrites = tracer.point(BusEvents.ConfigWrite.class);
        resets = tracer.point(BusEvents.FunctionReset.class);
    }

    /** The device is there; config space takes its reset state. */
    void attach(DeviceModel device) {
        var laidOut = new Header(device.layout());
        lock.lock();
        try {
            header = laidOut;
            bars = device.layout().bars();
            laidOut.layOut(config);
            msi.at(laidOut.msi, device.layout().msiVectors());
        } finally {
            lock.unlock();
        }
        model = device;
        present = true;
    }

    /** The device has left: nothing of it arrives any more once this returns. */
    void detach() {
        present = false;
        decoding = 0;
        gate.shutAndDrain(DmaResult.GONE);
        gate.nextGeneration();
        root.rebuildRoutes();
    }

    List<BarLayout> bars() {
        return bars;
    }

    @Nullable DeviceModel model() {
        return model;
    }

    // ---- the device's view

    @Override
    public String name() {
        return slot;
    }

    @Override
    public Map<String, Object> options() {
        return options;
    }

    @Override
    public DmaPort dma() {
        return dma;
    }

    @Override
    public InterruptPort interrupts() {
        return msi;
    }

    @Override
    public Execution execution() {
        return execution;
    }

    @Override
    public Tracer tracer() {
        return tracer;
    }

    // ---- the driver's view

    @Override
    public PcieAddress address() {
        return address;
    }

    int requesterId() {
        return address.requesterId();
    }

    @Override
    public String slot() {
        return slot;
    }

    @Override
    public int vendorId() {
        return (int) readConfig(0, 2);
    }

    @Override
    public int deviceId() {
        return (int) readConfig(2, 2);
    }

    @Override
    public int classCode() {
        return (int) (readConfig(8, 4) >>> 8);
    }

    @Override
    public boolean isPresent() {
        return present;
    }

    private static long allOnes(int bytes) {
        return bytes == 8 ? -1L : (1L << (8 * bytes)) - 1;
    }

    @Override
    public long readConfig(int offset, int bytes) {
        if (!present || !ConfigSpace.isAccess(offset, bytes)) {
            return allOnes(Math.clamp(bytes, 1, 8));
        }
        lock.lock();
        try {
            return config.get(offset, bytes);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void writeConfig(int offset, int bytes, long value) {
        if (!present || !ConfigSpace.isAccess(offset, bytes)) {
            return;
        }
        if (configWrites.isOn()) {
            configWrites.emit(new BusEvents.ConfigWrite(slot, offset, bytes, value));
        }
        boolean flr;
        boolean wake;
        lock.lock();
        try {
            int stateBefore = powerState();
            config.write(offset, bytes, value);
            flr = takeFlr();
            wake = stateBefore != 0 && powerState() == 0;
        } finally {
            lock.unlock();
        }
        if (flr || wake) {
            reset(flr ? ResetKind.FLR : ResetKind.POWER);
        } else {
            settle();
        }
        msi.sendUnmasked();
    }

    /** [held] {@return the power state: 0 for D0, 3 for D3hot} */
    private int powerState() {
        Header at = header;
        return at == null || at.pm == 0
                ? 0
                : (int) config.get(at.pm + Header.PM_CONTROL, 2) & Header.PM_STATE;
    }

    /** [held] {@return whether a function-level reset was asked for; the bit reads 0 again} */
    private boolean takeFlr() {
        Header at = header;
        if (at == null || at.express == 0) {
            return false;
        }
        long control = config.get(at.express + Header.EXP_DEVCTL, 2);
        long capabilities = config.get(at.express + 4, 4);
        config.set(at.express + Header.EXP_DEVCTL, 2, control & ~(long) Header.EXP_DEVCTL_FLR);
        return (control & Header.EXP_DEVCTL_FLR) != 0 && (capabilities & 1L << 28) != 0;
    }

    /** Makes gate and decoding follow Command and the power state (PC-17, PC-25). */
    private void settle() {
        int decodingNow = 0;
        boolean changed;
        lock.lock();
        try {
            long command = config.get(Header.COMMAND, 2);
            boolean awake = powerState() == 0;
            if (present) {
                gate.set(
                        awake && (command & Header.COMMAND_MASTER) != 0
                                ? DmaResult.OK
                                : DmaResult.BUS_MASTER_OFF);
            }
            if (awake && (command & Header.COMMAND_MEMORY) != 0) {
                for (BarLayout bar : bars) {
                    decodingNow |= barDecodes(bar) ? 1 << bar.index() : 0;
                }
            }
            changed = decodingNow != decoding || decodingNow != 0;
            decoding = decodingNow;
        } finally {
            lock.unlock();
        }
        if (changed) {
            root.rebuildRoutes();
        }
    }

    /** [held] Not at 0, and no wrap past the end of the BAR's space. */
    private boolean barDecodes(BarLayout bar) {
        long first = barAddress(bar);
        long last = first + bar.bytes() - 1;
        return first != 0
                && Long.compareUnsigned(last, first) >= 0
                && (bar.wide() || last <= 0xFFFF_FFFFL);
    }

    /** [held] */
    private long barAddress(BarLayout bar) {
        return config.get(Header.BAR0 + 4 * bar.index(), 4) & ~0xFL
                | (bar.wide() ? config.get(Header.BAR0 + 4 * bar.index() + 4, 4) << 32 : 0);
    }

    /** Adds the BARs that decode. */
    void addRoutes(List<Routes.Target> targets) {
        lock.lock();
        try {
            for (BarLayout bar : bars) {
                if ((decoding & 1 << bar.index()) != 0) {
                    long first = barAddress(bar);
                    targets.add(
                            new Routes.Target(
                                    first,
                                    first + bar.bytes() - 1,
                                    bar.memory(),
                                    this,
                                    bar.index()));
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Resets the function: requests of before are refused or waited for, the device forgets its
     * work, config space goes back (PC-61, PC-62).
     */
    void reset(ResetKind kind) {
        DeviceModel device = model;
        Header at = header;
        if (device == null || at == null) {
            return;
        }
        gate.shutAndDrain(DmaResult.GONE);
        gate.nextGeneration();
        try {
            device.reset(kind);
        } catch (RuntimeException e) {
            LOG.error("{}: reset threw", slot, e);
        }
        lock.lock();
        try {
            at.layOut(config);
            msi.forget();
        } finally {
            lock.unlock();
        }
        settle();
        root.rebuildRoutes();
        if (resets.isOn()) {
            resets.emit(new BusEvents.FunctionReset(slot, kind.name(), gate.generation()));
        }
    }

    @Override
    public AddressRange<PhysicalAddress> bar(int index) {
        for (BarLayout bar : bars) {
            if (bar.index() == index) {
                lock.lock();
                try {
                    return AddressRange.ofLength(new PhysicalAddress(barAddress(bar)), bar.bytes());
                } finally {
                    lock.unlock();
                }
            }
        }
        throw new ErrnoException(Errno.ENODEV, "%s has no BAR %d".formatted(slot, index));
    }

    @Override
    public long read(int index, long offset, int bytes) {
        return (decoding & 1 << index) == 0 ? allOnes(bytes) : mmioRead(index, offset, bytes);
    }

    @Override
    public void write(int index, long offset, int bytes, long value) {
        if ((decoding & 1 << index) != 0) {
            mmioWrite(index, offset, bytes, value);
        }
    }

    private @Nullable BarLayout barFor(int index, long offset, int bytes) {
        if (Integer.bitCount(bytes) != 1 || bytes > 8 || (offset & (bytes - 1)) != 0) {
            return null;
        }
        for (BarLayout bar : bars) {
            if (bar.index() == index && offset >= 0 && offset <= bar.bytes() - bytes) {
                return bar;
            }
        }
        return null;
    }

    /** A read that the routes have led here. */
    long mmioRead(int index, long offset, int bytes) {
        BarLayout bar = barFor(index, offset, bytes);
        DeviceModel device = model;
        if (bar == null || device == null || !present) {
            return allOnes(bytes);
        }
        long value;
        try {
            value =
                    bar.memory() == null
                            ? device.read(index, offset, bytes)
                            : MemoryBar.load(bar.memory(), offset, bytes);
        } catch (RuntimeException e) {
            LOG.error(
                    "{}: read of {} bytes at BAR {} offset {} threw",
                    slot,
                    bytes,
                    index,
                    offset,
                    e);
            return allOnes(bytes);
        }
        if (mmioReads.isOn()) {
            mmioReads.emit(new BusEvents.MmioRead(slot, index, offset, bytes, value));
        }
        return value & allOnes(bytes);
    }

    /** A write that the routes have led here. */
    void mmioWrite(int index, long offset, int bytes, long value) {
        BarLayout bar = barFor(index, offset, bytes);
        DeviceModel device = model;
        if (bar == null || device == null || !present) {
            return;
        }
        if (mmioWrites.isOn()) {
            mmioWrites.emit(new BusEvents.MmioWrite(slot, index, offset, bytes, value));
        }
        try {
            if (bar.memory() == null) {
                device.write(index, offset, bytes, value & allOnes(bytes));
            } else {
                MemoryBar.store(bar.memory(), offset, bytes, value);
            }
        } catch (RuntimeException e) {
            LOG.error(
                    "{}: write of {} bytes at BAR {} offset {} threw",
                    slot,
                    bytes,
                    index,
                    offset,
                    e);
        }
    }

    @Override
    public void enable(boolean memory, boolean busMaster) {
        long command = readConfig(Header.COMMAND, 2);
        if (!present) {
            return;
        }
        long bits = (memory ? Header.COMMAND_MEMORY : 0) | (busMaster ? Header.COMMAND_MASTER : 0);
        long both = Header.COMMAND_MEMORY | Header.COMMAND_MASTER;
        writeConfig(Header.COMMAND, 2, command & ~both | bits);
    }

    @Override
    public AutoCloseable requestInterrupt(int vector, Runnable handler) {
        if (!present) {
            throw new ErrnoException(Errno.ENODEV, slot + " has left the bus");
        }
        return msi.request(vector, handler);
    }

    /** {@return what the function may be asked for in {@code lspci}-like listings} */
    @Override
    public String toString() {
        return address + " " + slot;
    }

    /** {@return the BARs without an address yet, largest first} */
    List<BarLayout> barsBySize() {
        List<BarLayout> sorted = new ArrayList<>(bars);
        sorted.sort((a, b) -> Long.compareUnsigned(b.bytes(), a.bytes()));
        return sorted;
    }
}
