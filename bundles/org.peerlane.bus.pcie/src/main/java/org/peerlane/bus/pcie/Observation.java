package org.peerlane.bus.pcie;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaResult;

/**
 * Shows one function's requests to who observes. One that throws is logged, taken off, and has seen
 * nothing: a request goes on whatever its observer does.
 *
 * <p><b>Threads.</b> Any.
 */
final class Observation {
    private static final Logger LOG = LogManager.getLogger(Observation.class);

    private final Fabric fabric;
    private final Sender sender;

    Observation(Fabric fabric, Sender sender) {
        this.fabric = fabric;
        this.sender = sender;
    }

    /** {@return the token of a request that begins} */
    long begins(DmaObserver observer, int attributes, long from, long bytes, boolean write) {
        try {
            return observer.begins(sender.requester(), attributes, from, bytes, write);
        } catch (RuntimeException e) {
            threw(observer, e);
            return DmaObserver.NOTHING;
        }
    }

    /**
     * A request has ended.
     *
     * @param bytes of all of it
     * @param result status and bytes, as of {@link Outcomes}
     */
    void ended(DmaObserver observer, long token, long from, long bytes, long result) {
        boolean moved = Outcomes.isMoved(result);
        try {
            long part = DmaResult.isOk(result) ? Outcomes.covered(result) : bytes;
            observer.ended(token, from, part, moved);
        } catch (RuntimeException e) {
            threw(observer, e);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very service
    private void threw(DmaObserver observer, RuntimeException e) {
        if (fabric.observer() == observer) {
            fabric.observer(null);
        }
        LOG.error("an observer of DMA failed, and sees no more", e);
    }
}
