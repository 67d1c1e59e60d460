package org.peerlane.bus.pcie;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.config.ConfigSpace;
import org.peerlane.bus.pcie.config.Effect;
import org.peerlane.bus.pcie.config.FunctionConfig;
import org.peerlane.bus.pcie.config.Intx;
import org.peerlane.bus.pcie.config.Msi;

/**
 * Config space of one endpoint at work: what software reads and writes, and what follows from a
 * write for its BARs, its requests, its interrupts and its lives.
 *
 * <p><b>Locks.</b> The function's, which guards config space; what a write sets off that may wait
 * comes after it. <b>Threads.</b> Any.
 */
final class EndpointConfig {
    /** What software sees of the ids while a function is not ready. */
    private static final long NOT_READY = 0xFFFF_0001L;

    private final Endpoint endpoint;
    private final Fabric fabric;
    private final FunctionConfig config;
    private final EndpointLife life;
    private final EndpointBars bars;
    private final FunctionInterrupts interrupts;
    private final AtsFunction ats;
    private final PageRegisters pages;

    /** Where its INTx ends; null: it has none. */
    private final @Nullable IntxLine line;

    EndpointConfig(
            Endpoint endpoint,
            FunctionConfig config,
            EndpointLife life,
            EndpointBars bars,
            FunctionInterrupts interrupts,
            AtsFunction ats,
            @Nullable IntxLine line) {
        this.endpoint = endpoint;
        this.config = config;
        this.life = life;
        this.bars = bars;
        this.interrupts = interrupts;
        this.ats = ats;
        this.line = line;
        fabric = endpoint.fabric;
        pages = new PageRegisters(config, ats);
    }

    private boolean isLocked() {
        return endpoint.lock.isHeldByCurrentThread();
    }

    /** Software reads. */
    long read(int offset, int bytes) {
        long ones = ConfigSpace.ones(bytes);
        endpoint.lock.lock();
        try {
            if (!life.isPresent()) {
                return ones;
            }
            if (!life.isResetting() || offset != 0 || bytes == 1) {
                return readNow(offset, bytes);
            }
        } finally {
            endpoint.lock.unlock();
        }
        Port root = endpoint.rootPort(); // it is told to ask again (PC-5)
        return root != null && root.retriesVisible() ? NOT_READY & ones : ones;
    }

    private long readNow(int offset, int bytes) {
        assert isLocked();
        Msi msi = config.msi();
        if (msi != null) {
            msi.pending(interrupts.pendingMsi());
        }
        return endpoint.withMultifunction(offset, bytes, config.read(offset, bytes));
    }

    /** Software writes; the bits in {@code kept} stay as they are. */
    void write(int offset, int bytes, long kept, long bits) {
        long value;
        int effects;
        boolean moved;
        endpoint.lock.lock();
        try {
            if (!life.isPresent()) {
                return;
            }
            value = config.read(offset, bytes) & kept | bits & ~kept;
            effects = config.write(offset, bytes, value);
            if ((effects & (Effect.FLR | Effect.POWER_RESET)) != 0) {
                life.begin((effects & Effect.FLR) != 0 ? ResetKind.FLR : ResetKind.POWER);
            }
            moved = refresh();
            driveIntx();
        } finally {
            endpoint.lock.unlock();
        }
        if (fabric.trace.configWrite.isOn()) {
            fabric.trace.configWrite.emit(
                    new BusEvents.ConfigWrite(endpoint.address(), offset, bytes, value));
        }
        if (moved || (effects & Effect.ACS) != 0) {
            fabric.changed();
        }
        if ((effects & (Effect.FLR | Effect.POWER_RESET)) != 0) {
            life.finish((effects & Effect.FLR) != 0 ? ResetKind.FLR : ResetKind.POWER);
        } else if (effects != 0) {
            ats.tell();
            applyMessages(true);
            endpoint.followVirtuals();
        }
    }

    /** Derives from config space what others look at without a lock. {@return BARs have moved} */
    boolean refresh() {
        assert isLocked();
        VirtualState of = endpoint.stateOfPhysical();
        boolean answers = life.answers();
        endpoint.virtualState(
                VirtualState.of(endpoint.virtualState(), config.srIov(), answers, config.awake()));
        boolean moved = bars.follow(config, answers, of);
        life.publish(config.mayMaster() && (!endpoint.isVirtual() || of.awake));
        pages.follow(life.isPresent());
        return moved;
    }

    /**
     * A response to page requests has come (IM-15).
     *
     * @param failed it makes the function stop asking
     * @param unexpected nobody had asked
     */
    void pagesAnswered(boolean failed, boolean unexpected) {
        endpoint.lock.lock();
        try {
            if (life.answers()) {
                pages.answered(failed, unexpected);
            }
        } finally {
            endpoint.lock.unlock();
        }
    }

    /** The device says whether it wants attention. */
    void intx(boolean level) {
        endpoint.lock.lock();
        try {
            if (life.answers()) {
                config.intx().level(level);
                driveIntx();
            }
        } finally {
            endpoint.lock.unlock();
        }
    }

    /** Sends the message that makes the line know; with the lock, so they keep their order. */
    private void driveIntx() {
        assert isLocked();
        Intx.Edge edge = config.intx().update();
        if (line != null && edge != Intx.Edge.NONE) {
            line.message(endpoint, edge == Intx.Edge.ASSERT);
        }
    }

    /** The bits are reset, and with them the line and what was pending. */
    void reset(ResetKind kind) {
        assert isLocked();
        config.reset(kind);
        driveIntx();
    }

    /** The device has left: its line falls. */
    void dropLine() {
        assert isLocked();
        config.intx().level(false);
        driveIntx();
    }

    /** Puts into effect what config space says of messages. Without the lock. */
    void applyMessages(boolean there) {
        interrupts.apply(endpoint.lock, config, there);
    }
}
