package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Makes the ports of a board and finds places in the tree by name. The ports are there before the
 * first device, and stay.
 *
 * <p><b>Order.</b> Root ports by address, then switches by name: the same board always makes the
 * same tree, in whatever order it is told. A port that cannot be is logged and left out, and so is
 * what sits below it.
 *
 * <p><b>Threads.</b> The life-cycle thread only, after the constructor.
 */
final class Tree {
    private static final Logger LOG = LogManager.getLogger(Tree.class);

    private final Fabric fabric;

    /** Ports that something may be plugged into. */
    private final Map<String, Port> open = new LinkedHashMap<>();

    private final List<BoardSwitch> switches = new ArrayList<>();

    /** A place that a device may take. */
    record Place(Bus bus, int number) {}

    Tree(Fabric fabric, List<PortConfig> ports) {
        this.fabric = fabric;
        List<PortConfig> left = new ArrayList<>(ports);
        left.sort(Comparator.comparing(PortConfig::isSwitch).thenComparing(PortConfig::name));
        List<PortConfig> placed = new ArrayList<>();
        do {
            placed.clear();
            for (PortConfig port : left) {
                if (tryPlace(port)) {
                    placed.add(port);
                }
            }
            left.removeAll(placed);
        } while (!placed.isEmpty());
        for (PortConfig port : left) {
            LOG.error(
                    "switch {} is left out: there is no port '{}'; expected one of {}",
                    port.name(),
                    port.at(),
                    open.keySet());
        }
    }

    /** {@return whether this port is dealt with; false: what it sits on is not there yet} */
    private boolean tryPlace(PortConfig port) {
        try {
            if (!port.isSwitch()) {
                Place place = place(port.at());
                Port root =
                        new Port(
                                fabric,
                                place.bus(),
                                place.number(),
                                port.name(),
                                port,
                                PortKind.ROOT);
                add(root, true);
                return true;
            }
            Port above = open.get(port.at());
            if (above == null) {
                return false;
            }
            if (above.secondary().at(0) != null) {
                throw new ErrnoException(
                        Errno.EBUSY, "something is plugged into %s".formatted(port.at()));
            }
            Port upstream =
                    new Port(fabric, above.secondary(), 0, port.name(), port, PortKind.UPSTREAM);
            add(upstream, false);
            above.slotBelow().populate();
            switches.add(new BoardSwitch(port.name(), above, upstream));
            for (Port up = above; up != null; up = up.bus().parent) {
                up.awaitBuses(1 + port.downstreamPorts());
            }
            for (int i = 0; i < port.downstreamPorts(); i++) {
                String name = port.name() + "." + i;
                add(
                        new Port(
                                fabric,
                                upstream.secondary(),
                                i << 3,
                                name,
                                port,
                                PortKind.DOWNSTREAM),
                        true);
            }
        } catch (ErrnoException e) {
            LOG.error("port {} is left out: {}", port.name(), e.sentence());
        }
        return true;
    }

    private void add(Port port, boolean takesDevices) {
        if (takesDevices && open.putIfAbsent(port.name(), port) != null) {
            throw new ErrnoException(
                    Errno.EEXIST, "there is a port %s already".formatted(port.name()));
        }
        fabric.add(port);
    }

    /**
     * Finds a place in a root complex, given as an address.
     *
     * @throws ErrnoException {@code EINVAL} there is no such place; {@code EEXIST} it is taken
     */
    Place place(String text) {
        PcieAddress address = PcieAddress.parse(text);
        for (HostBridge host : fabric.hosts) {
            if (host.config().segment() == address.segment()
                    && host.config().firstBus() == address.bus()
                    && address.device() != 0) {
                return free(new Place(host.root(), address.device() << 3 | address.function()));
            }
        }
        throw new ErrnoException(
                Errno.EINVAL,
                "nothing can be at %s; expected %s"
                        .formatted(
                                address,
                                fabric.hosts.stream()
                                        .map(HostBridge::config)
                                        .map(c ->
                                                "%04x:%02x:01.0 to %04x:%02x:1f.7"
                                                        .formatted(
                                                                c.segment(),
                                                                c.firstBus(),
                                                                c.segment(),
                                                                c.firstBus()))
                                        .toList()));
    }

    /**
     * Finds the place below a port.
     *
     * @throws ErrnoException {@code EINVAL} there is no such port; {@code EEXIST} it is taken
     */
    Place below(String port, int function) {
        Port found = open.get(port);
        if (found == null) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "there is no port '%s'; expected one of %s".formatted(port, open.keySet()));
        }
        return free(new Place(found.secondary(), function));
    }

    private static Place free(Place place) {
        BusFunction there = place.bus().at(place.number());
        if (there != null) {
            throw new ErrnoException(Errno.EEXIST, "%s is there already".formatted(there));
        }
        return place;
    }

    /**
     * {@return the switch of a name, or the one that belongs into the port of that name; or null}
     */
    @Nullable BoardSwitch switchAt(String name) {
        return switches.stream()
                .filter(one -> one.name().equals(name) || one.above().name().equals(name))
                .findFirst()
                .orElse(null);
    }

    /** {@return the names of all switches} */
    List<String> switchNames() {
        return switches.stream().map(BoardSwitch::name).toList();
    }

    /** {@return a port that devices are plugged into, or null} */
    @Nullable Port port(String name) {
        return open.get(name);
    }
}
