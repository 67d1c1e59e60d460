package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.ReadFailure;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.bus.pcie.config.ConfigSpace;
import org.peerlane.bus.pcie.config.MsiX;
import org.peerlane.bus.pcie.config.MsiXTable;
import org.peerlane.bus.pcie.config.PcieError;

/**
 * Accesses to the BARs of one function: by the CPU, if the ports above let them through, and by
 * peers, whom the fabric has routed here.
 *
 * <p><b>Whoever answers.</b> The MSI-X table is the bus's own; what behaves like memory, and a ROM
 * with content, is copied; all else asks the model. A write to a ROM is dropped. What a model
 * throws is logged once: the read answers all-ones, the write is dropped.
 *
 * <p><b>Cost.</b> No lock, no allocation.
 */
final class EndpointRegisters {
    private static final Logger LOG = LogManager.getLogger(EndpointRegisters.class);

    private final Endpoint endpoint;
    private final Fabric fabric;
    private final DeviceModel model;
    private final @Nullable BarLayout[] bars;
    private final @Nullable MsiX msiX;
    private final @Nullable MsiXTable table;
    private final InFlight accesses;
    private final AtomicBoolean modelThrew = new AtomicBoolean();

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

    EndpointRegisters(
            Endpoint endpoint,
            Fabric fabric,
            DeviceModel model,
            @Nullable BarLayout[] bars,
            @Nullable MsiX msiX,
            @Nullable MsiXTable table) {
        this.endpoint = endpoint;
        this.fabric = fabric;
        this.model = model;
        this.bars = bars;
        this.msiX = msiX;
        this.table = table;
        accesses = new InFlight(fabric.execution, "bus.register-accesses");
    }

    /** The CPU reads. */
    long read(int index, long offset, int bytes) {
        boolean answers = answers(index, offset, bytes);
        if (!answers) {
            unanswered(index, offset, bytes, false);
        }
        try {
            return read(answers, index, offset, bytes);
        } catch (ReadFailure failure) {
            RequestErrors.failed(endpoint, failure, endpoint.bars().base(index) + offset, bytes);
            return ConfigSpace.ones(bytes);
        }
    }

    /** The CPU writes. */
    void write(int index, long offset, int bytes, long value) {
        boolean answers = answers(index, offset, bytes);
        if (!answers) {
            unanswered(index, offset, bytes, true);
        }
        write(answers, index, offset, bytes, value);
    }

    /**
     * A read that the fabric has routed here.
     *
     * @throws ReadFailure the model's; or the BAR does not decode any more
     */
    long arrivingRead(int index, long offset, int bytes) {
        if (!decodes(index, offset, bytes)) {
            throw ReadFailure.UNSUPPORTED_REQUEST;
        }
        fabric.answering(true);
        try {
            return read(true, index, offset, bytes);
        } finally {
            fabric.answering(false);
        }
    }

    /** A write that the fabric has routed here. */
    void arrivingWrite(int index, long offset, int bytes, long value) {
        boolean answers = decodes(index, offset, bytes);
        if (!answers) {
            Tlp request = new Tlp(true, 0, endpoint.bars().placeOf(index) + offset, bytes);
            endpoint.errors().log(PcieError.UNSUPPORTED_REQUEST, false, request);
        }
        fabric.answering(true);
        try {
            write(answers, index, offset, bytes, value);
        } finally {
            fabric.answering(false);
        }
    }

    /** An I/O read of the CPU's that has been routed here. */
    long in(long port, int bytes) {
        int index = endpoint.bars().portBar(port);
        return index < 0
                ? ConfigSpace.ones(bytes)
                : read(index, port - endpoint.bars().portBase(index), bytes);
    }

    /** An I/O write of the CPU's that has been routed here. */
    void out(long port, int bytes, long value) {
        int index = endpoint.bars().portBar(port);
        if (index >= 0) {
            write(index, port - endpoint.bars().portBase(index), bytes, value);
        }
    }

    /** Waits for the accesses that are in the model now. */
    void drain() {
        accesses.drain();
    }

    private long read(boolean answers, int index, long offset, int bytes) {
        long value = ConfigSpace.ones(bytes);
        int section = accesses.enter();
        try {
            if (answers) {
                MemorySegment memory = content(index);
                value =
                        memory != null
                                ? Access.get(memory, offset, bytes)
                                : ConfigSpace.ones(bytes) & register(index, offset, bytes);
            }
        } catch (ReadFailure failure) {
            throw failure;
        } catch (RuntimeException | Error e) {
            threw("a read of BAR " + index + " at 0x" + Long.toHexString(offset), e);
        } finally {
            accesses.exit(section);
        }
        if (fabric.trace.mmioRead.isOn()) {
            fabric.trace.mmioRead.emit(
                    new BusEvents.MmioRead(endpoint.address(), index, offset, bytes, value));
        }
        return value;
    }

    private @Nullable MemorySegment content(int index) {
        RomLayout rom = index == RomLayout.INDEX ? endpoint.bars().rom() : null;
        return rom != null ? rom.content() : endpoint.bars().memory(index);
    }

    private long register(int index, long offset, int bytes) {
        MsiXTable own = table;
        if (own != null && msiX != null) {
            if (msiX.inTable(index, offset) || msiX.inPending(index, offset)) {
                return msiX.read(own, index, offset, bytes);
            }
        }
        return model.read(index, offset, bytes);
    }

    private void write(boolean answers, int index, long offset, int bytes, long value) {
        if (fabric.trace.mmioWrite.isOn()) {
            fabric.trace.mmioWrite.emit(
                    new BusEvents.MmioWrite(endpoint.address(), index, offset, bytes, value));
        }
        int section = accesses.enter();
        try {
            if (!answers || index == RomLayout.INDEX) {
                return;
            }
            MsiXTable own = table;
            MemorySegment memory = endpoint.bars().memory(index);
            if (memory != null) {
                Access.set(memory, offset, bytes, value);
            } else if (own != null
                    && msiX != null
                    && (msiX.inTable(index, offset) || msiX.inPending(index, offset))) {
                msiX.write(own, index, offset, bytes, value);
            } else {
                model.write(index, offset, bytes, value & ConfigSpace.ones(bytes));
            }
        } catch (RuntimeException | Error e) {
            threw("a write of BAR " + index + " at 0x" + Long.toHexString(offset), e);
        } finally {
            accesses.exit(section);
        }
    }

    /** The CPU's access ends elsewhere: whoever has it refuses it. */
    private void unanswered(int index, long offset, int bytes, boolean write) {
        if (index < 0 || index > RomLayout.INDEX) {
            return;
        }
        if (isIo(index)) {
            long base = endpoint.bars().portsOf(index);
            if (base != 0 && Access.fits(offset, bytes, endpoint.bars().bytes(index))) {
                RequestErrors.unanswered(
                        IoRouter.find(fabric.hosts, base + offset), base + offset, bytes);
            }
            return;
        }
        long base = endpoint.bars().placeOf(index);
        if (base != 0 && Access.fits(offset, bytes, endpoint.bars().bytes(index))) {
            long physical = base - endpoint.bus().host.offset() + offset;
            Route route = fabric.router.fromRoot(null, physical);
            RequestErrors.unanswered(route, base + offset, bytes, write);
        }
    }

    private void threw(String what, Throwable e) {
        if (modelThrew.compareAndSet(false, true)) {
            LOG.error("{}: the device threw at {}; not logged again", endpoint, what, e);
        }
    }

    /** {@return whether the BAR decodes a whole access, whoever it was that got there} */
    private boolean decodes(int index, long offset, int bytes) {
        return endpoint.bars().base(index) != 0 && fits(index, offset, bytes);
    }

    private boolean fits(int index, long offset, int bytes) {
        return Access.fits(offset, bytes, bytes(index)) && !(isIo(index) && bytes > 4);
    }

    private long bytes(int index) {
        return endpoint.bars().bytes(index); // a resizable BAR's may change
    }

    private boolean isIo(int index) {
        BarLayout bar = index == RomLayout.INDEX ? null : bars[index];
        return bar != null && bar.io();
    }

    /** {@return whether a whole access of the CPU's gets to the BAR (PC-66)} */
    @SuppressWarnings("ReferenceEquality") // the very function
    private boolean answers(int index, long offset, int bytes) {
        if (index < 0 || index > RomLayout.INDEX || !fits(index, offset, bytes)) {
            return false;
        }
        if (isIo(index)) {
            long base = endpoint.bars().portBase(index);
            return base != 0 && IoRouter.find(fabric.hosts, base + offset) == endpoint;
        }
        Reach now = reach;
        if (now.epoch() != fabric.epoch()) {
            now = look();
        }
        if ((now.whole() >>> index & 1) != 0) {
            return true;
        }
        return (now.part() >>> index & 1) != 0 && claims(index, offset) != null;
    }

    /** Finds out which BARs the CPU gets to over the ports as they are now. */
    private Reach look() {
        long epoch = fabric.epoch();
        int whole = 0;
        int part = 0;
        for (int index = 0; index <= RomLayout.INDEX; index++) {
            if (endpoint.bars().base(index) != 0) {
                Route route = claims(index, 0);
                long last = bytes(index) - 1;
                boolean all = route != null && route.last() - route.first() >= last;
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
        long base = endpoint.bars().base(index);
        if (base == 0) {
            return null;
        }
        long physical = base - endpoint.bus().host.offset() + offset;
        Route route = fabric.router.fromRoot(null, physical);
        return route.function() == endpoint && route.bar() == index ? route : null;
    }
}
