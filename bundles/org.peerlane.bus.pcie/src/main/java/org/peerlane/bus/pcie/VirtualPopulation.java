package org.peerlane.bus.pcie;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What the operating system does with virtual functions that have come or gone: finds them, offers
 * them to drivers, takes them back.
 *
 * <p><b>Threads.</b> The life-cycle thread only; so no lock.
 */
final class VirtualPopulation {
    private static final Logger LOG = LogManager.getLogger(VirtualPopulation.class);

    private final Fabric fabric;
    private final EventQueue events;
    private final Drivers drivers;

    VirtualPopulation(Fabric fabric, EventQueue events, Drivers drivers) {
        this.fabric = fabric;
        this.events = events;
        this.drivers = drivers;
        fabric.onVirtual(set -> events.submit(() -> attend(set)));
    }

    /** Deals with what is new and with what has left. */
    void attend(@Nullable VirtualSet set) {
        if (set == null) {
            return;
        }
        for (Endpoint gone : set.takeDeparted()) {
            leave(gone);
        }
        for (Endpoint one : set.takeFresh()) {
            if (one.isPresent()) {
                meet(one);
            }
        }
    }

    private void meet(Endpoint one) {
        if (!fabric.config.reach(one)) {
            LOG.error("{}: no port leads to its bus; it stays without a driver", one);
            return;
        }
        LOG.info("{}: virtual function {} has come", one.address(), one.slot());
        if (fabric.trace.added.isOn()) {
            fabric.trace.added.emit(
                    new BusEvents.FunctionAdded(one.address(), one.slot(), "virtual function"));
        }
        drivers.offer(one);
    }

    private void leave(Endpoint gone) {
        events.doing("removal of " + gone.address() + " (" + gone.slot() + ")");
        drivers.unbind(gone, true);
        drivers.forget(gone);
        gone.close();
        LOG.info("{}: virtual function {} has left", gone.address(), gone.slot());
        if (fabric.trace.removed.isOn()) {
            fabric.trace.removed.emit(new BusEvents.FunctionRemoved(gone.address(), gone.slot()));
        }
    }

    /** The drivers of all of a function's virtual ones go, in order, before its own. */
    void unbind(Endpoint physical) {
        VirtualSet set = physical.virtuals();
        if (set != null) {
            set.present().forEach(one -> drivers.unbind(one, false));
        }
    }

    /** Offers those to the drivers that {@link #unbind} has left there. */
    void offer(Endpoint physical) {
        VirtualSet set = physical.virtuals();
        if (set != null) {
            for (Endpoint one : set.present()) {
                if (drivers.of(one) == null) {
                    drivers.offer(one);
                }
            }
        }
    }
}
