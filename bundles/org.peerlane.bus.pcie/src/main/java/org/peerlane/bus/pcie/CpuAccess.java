package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.pcie.config.ConfigSpace;

/**
 * Loads and stores of the CPU by physical address: RAM, config space by ECAM, BARs through the
 * ports; and what it reads and writes in I/O space. Where nobody answers a load gives all-ones and
 * a store is dropped (PC-66).
 *
 * <p><b>Threads.</b> Any.
 */
final class CpuAccess {
    private final Ecam ecam;
    private final Fabric fabric;
    private final RouteTable routes = new RouteTable();

    CpuAccess(Fabric fabric) {
        this.fabric = fabric;
        ecam = new Ecam(fabric.config, fabric.hosts);
    }

    long read(long physical, int bytes) {
        HostBridge host = ecam.at(physical);
        if (host != null) {
            return ecam.read(host, physical, bytes);
        }
        Route route = route(physical, bytes);
        if (route == null) {
            return ConfigSpace.ones(bytes);
        }
        Endpoint function = route.function();
        MemorySegment segment = route.segment();
        long offset = physical - route.base();
        if (function != null) {
            return function.registers().arrivingRead(route.bar(), offset, bytes);
        }
        return segment == null ? ConfigSpace.ones(bytes) : Access.get(segment, offset, bytes);
    }

    void write(long physical, int bytes, long value) {
        HostBridge host = ecam.at(physical);
        if (host != null) {
            ecam.write(host, physical, bytes, value);
            return;
        }
        Route route = route(physical, bytes);
        if (route == null) {
            return;
        }
        Endpoint function = route.function();
        MemorySegment segment = route.segment();
        long offset = physical - route.base();
        if (function != null) {
            function.registers().arrivingWrite(route.bar(), offset, bytes, value);
        } else if (segment != null) {
            Access.set(segment, offset, bytes, value);
        }
    }

    /** Reads from I/O space. */
    long in(long port, int bytes) {
        if (!Access.fits(port & 3, bytes, 4)) {
            return ConfigSpace.ones(bytes);
        }
        BusFunction end = IoRouter.find(fabric.hosts, port);
        if (end instanceof Endpoint endpoint) {
            return endpoint.registers().in(port, bytes);
        }
        RequestErrors.unanswered(end, port, bytes);
        return ConfigSpace.ones(bytes);
    }

    /** Writes to I/O space. */
    void out(long port, int bytes, long value) {
        if (!Access.fits(port & 3, bytes, 4)) {
            return;
        }
        BusFunction end = IoRouter.find(fabric.hosts, port);
        if (end instanceof Endpoint endpoint) {
            endpoint.registers().out(port, bytes, value);
        } else {
            RequestErrors.unanswered(end, port, bytes);
        }
    }

    /** {@return who has the whole of an access, or null: nobody} */
    private @Nullable Route route(long physical, int bytes) {
        if (!Access.fits(physical & 7, bytes, 8)) {
            return null;
        }
        long epoch = fabric.epoch();
        Route route = routes.find(physical, epoch);
        if (route == null) {
            route = fabric.router.fromRoot(null, physical);
            routes.add(route, epoch);
        }
        boolean whole = Long.compareUnsigned(route.last() - physical, bytes - 1L) >= 0;
        return whole ? route : null;
    }
}
