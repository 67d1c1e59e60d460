package org.peerlane.bus.pcie;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.NamedLock;

/**
 * The lives of one function: each reset and the departure end one (PC-62). Whoever ends it says so
 * first, with the function's lock, and then waits without it for what had begun.
 *
 * <p><b>Locks.</b> {@code bus.reset} serialises resets and the departure; the function's guards the
 * rest. The model is called without the latter: its reset may wait for an engine of the device, and
 * that engine may be in a DMA.
 */
final class EndpointLife {
    private static final Logger LOG = LogManager.getLogger(EndpointLife.class);

    private final Endpoint endpoint;
    private final Fabric fabric;
    private final DeviceModel model;
    private final FunctionInterrupts interrupts;
    private final AtsFunction ats;
    private final FunctionDmaPort port;
    private final NamedLock resetLock;

    /** Guarded by the function's lock, as all below. */
    private long lives = 1;

    /** How many resets are under way. */
    private int resetting;

    /** A port above holds it in reset. */
    private boolean held;

    /** It was pulled out: what had left it still arrives. */
    private boolean pulled;

    private volatile boolean present = true;
    private volatile long generation = 1; // the number of the life

    EndpointLife(
            Endpoint endpoint,
            Fabric fabric,
            DeviceModel model,
            FunctionInterrupts interrupts,
            AtsFunction ats,
            FunctionDmaPort port) {
        this.endpoint = endpoint;
        this.fabric = fabric;
        this.model = model;
        this.interrupts = interrupts;
        this.ats = ats;
        this.port = port;
        resetLock = fabric.execution.lock("bus.reset");
    }

    /** {@return the number of the life} */
    long generation() {
        return generation;
    }

    boolean isPresent() {
        return present;
    }

    boolean isResetting() {
        assert endpoint.lock.isHeldByCurrentThread();
        return resetting > 0;
    }

    /** {@return whether it is there and not in reset} */
    boolean answers() {
        return present && !isResetting();
    }

    /** Tells the DMA port which life this is, and whether it may send. */
    void publish(boolean mayMaster) {
        int refusal = DmaResult.OK;
        if (!answers()) {
            refusal = DmaResult.GONE;
        } else if (!mayMaster) {
            refusal = DmaResult.BUS_MASTER_OFF;
        }
        if (pulled) {
            port.departed(generation);
        } else {
            port.state(generation, refusal);
        }
    }

    /** The life is over; then {@link #finish}, without the lock. */
    void begin(ResetKind kind) {
        assert endpoint.lock.isHeldByCurrentThread();
        generation = ++lives;
        resetting++;
        endpoint.config().reset(kind);
        interrupts.reset();
        ats.reset();
    }

    void hold() {
        endpoint.lock.lock();
        try {
            if (present && !held) {
                held = true;
                begin(ResetKind.HOT);
                endpoint.config().refresh();
            }
        } finally {
            endpoint.lock.unlock();
        }
        fabric.changed();
        endpoint.followVirtuals();
    }

    void release(ResetKind kind) {
        boolean was;
        endpoint.lock.lock();
        try {
            was = held;
            held = false;
        } finally {
            endpoint.lock.unlock();
        }
        if (was) {
            finish(kind);
        }
    }

    /** Waits until nothing of the earlier life is on its way, then resets the model. */
    void finish(ResetKind kind) {
        endpoint.followVirtuals();
        resetLock.lock();
        try {
            if (present) {
                endpoint.config().applyMessages(true);
                port.drain();
                fabric.drain(); // peers that were on their way to our BARs
                callModel("reset", () -> model.reset(kind));
            }
            boolean moved;
            endpoint.lock.lock();
            try {
                resetting--;
                moved = endpoint.config().refresh();
            } finally {
                endpoint.lock.unlock();
            }
            if (moved) {
                fabric.changed();
            }
        } finally {
            resetLock.unlock();
        }
        endpoint.followVirtuals();
        if (present) {
            fabric.listeners.reset(endpoint, kind);
        }
        if (fabric.trace.reset.isOn()) {
            fabric.trace.reset.emit(new BusEvents.FunctionReset(endpoint.address(), kind));
        }
    }

    /** See {@link Endpoint#depart}. */
    void end(boolean byHand) {
        resetLock.lock();
        try {
            endpoint.lock.lock();
            try {
                present = false;
                pulled = byHand;
                generation = ++lives;
                endpoint.config().dropLine();
                interrupts.reset();
                endpoint.config().refresh();
            } finally {
                endpoint.lock.unlock();
            }
            fabric.remove(endpoint);
            fabric.requesters.remove(port.requester(), endpoint);
            ats.reset();
            endpoint.config().applyMessages(false);
            port.settle();
            fabric.drain();
            fabric.forget(endpoint);
        } finally {
            resetLock.unlock();
        }
        endpoint.followVirtuals();
        fabric.listeners.gone(endpoint);
    }

    void callModel(String what, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            LOG.error("{}: the device threw at {}", endpoint, what, e);
        }
    }
}
