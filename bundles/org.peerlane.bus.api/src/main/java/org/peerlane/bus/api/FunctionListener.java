package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Is told when a life of a function has ended: everything that it had sent has arrived or never
 * will (PC-62, PC-68). Registered as a service.
 *
 * <p><b>Threads.</b> Whoever resets, or the bus's life-cycle thread; no lock of the bus is held.
 * Calls are short: a removal waits for them. What they throw is logged.
 */
@ConsumerType
public interface FunctionListener {
    /** The function has been reset, and answers again. */
    default void reset(PcieFunction function, ResetKind kind) {}

    /**
     * The function has left, before its driver is told. The object does not come back: who plugs
     * the device in again gets another one.
     */
    default void gone(PcieFunction function) {}
}
