package org.peerlane.bus.pcie;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.ReadFailure;
import org.peerlane.bus.pcie.config.ConfigSpace;
import org.peerlane.bus.pcie.config.MsiX;
import org.peerlane.bus.pcie.config.MsiXTable;
import org.peerlane.bus.pcie.config.PcieError;

/**
 * Accesses to the BARs of one function: by the CPU, if the ports above let them through, and by
 * peers, whom the fabric has routed here.
 *
 * <p><b>Whoever answers.</b> The MSI-X table is the bus's own; what behaves like memory is copied;
 * all else asks the model. What a model throws is logged once: the read answers all-ones, the write
 * is dropped.
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
        BarLayout bar = answering(index, offset, bytes);
        if (bar == null) {
            unanswered(index, offset, bytes, false);
        }
        try {
            return read(bar, index, offset, bytes);
        } catch (ReadFailure failure) {
            RequestErrors.failed(endpoint, failure, endpoint.bars().base(index) + offset, bytes);
            return ConfigSpace.ones(bytes);
        }
    }

    /** The CPU writes. */
    void write(int index, long offset, int bytes, long value) {
        BarLayout bar = answering(index, offset, bytes);
        if (bar == null) {
            unanswered(index, offset, bytes, true);
        }
        write(bar, index, offset, bytes, value);
    }

    /**
     * A read that the fabric has routed here.
     *
     * @throws ReadFailure the model's; or the BAR does not decode any more
     */
    long arrivingRead(int index, long offset, int bytes) {
        BarLayout bar = decoding(index, offset, bytes);
        if (bar == null) {
            throw ReadFailure.UNSUPPORTED_REQUEST;
        }
        fabric.answering(true);
        try {
            return read(bar, index, offset, bytes);
        } finally {
            fabric.answering(false);
        }
    }

    /** A write that the fabric has routed here. */
    void arrivingWrite(int index, long offset, int bytes, long value) {
        BarLayout bar = decoding(index, offset, bytes);
        if (bar == null) {
            Tlp request = new Tlp(true, 0, endpoint.bars().placeOf(index) + offset, bytes);
            endpoint.errors().log(PcieError.UNSUPPORTED_REQUEST, false, request);
        }
        fabric.answering(true);
        try {
            write(bar, index, offset, bytes, value);
        } finally {
            fabric.answering(false);
        }
    }

    /** Waits for the accesses that are in the model now. */
    void drain() {
        accesses.drain();
    }

    private long read(@Nullable BarLayout bar, int index, long offset, int bytes) {
        long value = ConfigSpace.ones(bytes);
        int section = accesses.enter();
        try {
            if (bar != null) {
                value =
                        bar.memory() != null
                                ? Access.get(bar.memory(), offset, bytes)
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

    private long register(int index, long offset, int bytes) {
        MsiXTable own = table;
        if (own != null && msiX != null) {
            if (msiX.inTable(index, offset) || msiX.inPending(index, offset)) {
                return msiX.read(own, index, offset, bytes);
            }
        }
        return model.read(index, offset, bytes);
    }

    private void write(@Nullable BarLayout bar, int index, long offset, int bytes, long value) {
        if (fabric.trace.mmioWrite.isOn()) {
            fabric.trace.mmioWrite.emit(
                    new BusEvents.MmioWrite(endpoint.address(), index, offset, bytes, value));
        }
        int section = accesses.enter();
        try {
            if (bar == null) {
                return;
            }
            MsiXTable own = table;
            if (bar.memory() != null) {
                Access.set(bar.memory(), offset, bytes, value);
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
        long base = index < 0 || index >= bars.length ? 0 : endpoint.bars().placeOf(index);
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

    /** {@return the BAR that decodes, whoever it was that got there, or null} */
    private @Nullable BarLayout decoding(int index, long offset, int bytes) {
        BarLayout bar = endpoint.bars().base(index) == 0 ? null : bars[index];
        return bar != null && Access.fits(offset, bytes, endpoint.bars().bytes(index)) ? bar : null;
    }

    /** {@return the BAR that answers a whole access of the CPU's, or null: nobody (PC-66)} */
    private @Nullable BarLayout answering(int index, long offset, int bytes) {
        if (index < 0 || index >= bars.length) {
            return null;
        }
        Reach now = reach;
        if (now.epoch() != fabric.epoch()) {
            now = look();
        }
        BarLayout bar = bars[index];
        if (bar == null || !Access.fits(offset, bytes, endpoint.bars().bytes(index))) {
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
        for (int index = 0; index < bars.length; index++) {
            BarLayout bar = bars[index];
            if (bar != null && endpoint.bars().base(index) != 0) {
                Route route = claims(index, 0);
                boolean all =
                        route != null
                                && route.last() - route.first() >= endpoint.bars().bytes(index) - 1;
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
