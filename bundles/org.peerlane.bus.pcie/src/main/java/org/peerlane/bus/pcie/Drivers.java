package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * Which drivers there are and what each drives.
 *
 * <p><b>Threads.</b> The life-cycle thread only; so no lock.
 */
final class Drivers {
    private static final Logger LOG = LogManager.getLogger(Drivers.class);

    private final EventQueue events;
    private final List<Entry> drivers = new ArrayList<>();

    /** The functions that have no driver. */
    private final Set<Endpoint> idle = new LinkedHashSet<>();

    private final Map<Endpoint, Entry> bound = new LinkedHashMap<>();

    /** The one driver by name that a function is for, where somebody has said so. */
    private final Map<Endpoint, String> overrides = new LinkedHashMap<>();

    private record Entry(PcieDriver driver, String name) {}

    Drivers(EventQueue events) {
        this.events = events;
    }

    /** {@return name of the driver that a function has, or null} */
    @Nullable String of(Endpoint function) {
        Entry entry = bound.get(function);
        return entry == null ? null : entry.name();
    }

    void add(PcieDriver driver, String name) {
        Entry entry = new Entry(driver, name);
        drivers.add(entry);
        List.copyOf(idle).forEach(function -> bind(function, entry));
    }

    /** The driver leaves; what it drove is offered to the others. */
    @SuppressWarnings("ReferenceEquality") // the service itself, whatever it is equal to
    void remove(PcieDriver driver) {
        drivers.removeIf(entry -> entry.driver() == driver);
        List<Endpoint> orphans = new ArrayList<>();
        bound.forEach((function, entry) -> {
            if (entry.driver() == driver) {
                orphans.add(function);
            }
        });
        orphans.forEach(function -> unbind(function, false));
        orphans.forEach(this::offer);
    }

    /**
     * Says which driver a function is for.
     *
     * @param name null: any that matches
     * @throws ErrnoException {@code ENODEV} the function is gone
     */
    void override(Endpoint function, @Nullable String name) {
        requirePresent(function);
        if (name == null) {
            overrides.remove(function);
        } else {
            overrides.put(function, name);
        }
    }

    /**
     * Takes a function from its driver, for good.
     *
     * @throws ErrnoException {@code ENODEV} it has none, or is gone
     */
    void take(Endpoint function) {
        requirePresent(function);
        if (!bound.containsKey(function)) {
            throw new ErrnoException(Errno.ENODEV, function.slot() + " has no driver");
        }
        unbind(function, false);
        idle.add(function);
    }

    /**
     * Offers a function.
     *
     * @throws ErrnoException {@code EBUSY} it has a driver; {@code ENODEV} nobody took it, or it is
     *     gone
     */
    void give(Endpoint function) {
        requirePresent(function);
        Entry has = bound.get(function);
        if (has != null) {
            throw new ErrnoException(
                    Errno.EBUSY, "%s is driven by %s".formatted(function.slot(), has.name()));
        }
        offer(function);
        if (!bound.containsKey(function)) {
            String wanted = overrides.get(function);
            throw new ErrnoException(
                    Errno.ENODEV,
                    wanted == null
                            ? "no driver takes " + function.slot()
                            : "%s is for driver %s, which is not there or refuses it; there are %s"
                                    .formatted(
                                            function.slot(),
                                            wanted,
                                            drivers.stream().map(Entry::name).toList()));
        }
    }

    /**
     * An error has been reported that nothing corrects: whoever is below the port that reports it,
     * or below the one above who does, may be concerned.
     */
    void errorDetected(BusFunction from, boolean fatal) {
        Bus bus = from instanceof Port port ? port.secondary() : from.bus();
        for (Map.Entry<Endpoint, Entry> one : List.copyOf(bound.entrySet())) {
            Endpoint function = one.getKey();
            Entry entry = one.getValue();
            if (!isBelow(function, bus)) {
                continue;
            }
            events.doing("driver %s hears of an error".formatted(entry.name()));
            try {
                entry.driver().errorDetected(function, fatal);
            } catch (RuntimeException | Error e) {
                LOG.error(
                        "{} ({}): driver {} threw at an error",
                        function.address(),
                        function.slot(),
                        entry.name(),
                        e);
            }
        }
    }

    private static boolean isBelow(Endpoint function, Bus bus) {
        Bus at = function.bus();
        while (!at.equals(bus) && at.parent != null) {
            at = at.parent.bus();
        }
        return at.equals(bus);
    }

    /** A function has left: nothing is kept of it. */
    void forget(Endpoint function) {
        idle.remove(function);
        overrides.remove(function);
    }

    private static void requirePresent(Endpoint function) {
        if (!function.isPresent()) {
            throw new ErrnoException(Errno.ENODEV, function.slot() + " is gone");
        }
    }

    /** A function has come, or has lost its driver. */
    void offer(Endpoint function) {
        if (!function.isPresent()) {
            return; // a virtual one that went with the driver of its physical one
        }
        idle.add(function);
        for (Entry entry : drivers) {
            if (bind(function, entry)) {
                return;
            }
        }
    }

    private boolean bind(Endpoint function, Entry entry) {
        events.doing("driver %s at %s".formatted(entry.name(), function.address()));
        try {
            String wanted = overrides.get(function);
            if (wanted == null ? !entry.driver().matches(function) : !wanted.equals(entry.name())) {
                return false;
            }
            entry.driver().probe(function);
        } catch (RuntimeException | Error e) {
            refuse(function, entry, e);
            letGo(function);
            return false;
        }
        idle.remove(function);
        bound.put(function, entry);
        LOG.info("{}: {} is driven by {}", function.address(), function.slot(), entry.name());
        return true;
    }

    private static void refuse(Endpoint function, Entry entry, Throwable e) {
        if (e instanceof ErrnoException) {
            LOG.error(
                    "{} ({}): driver {} refuses it: {}",
                    function.address(),
                    function.slot(),
                    entry.name(),
                    e.getMessage());
        } else {
            LOG.error(
                    "{} ({}): driver {} threw at probe",
                    function.address(),
                    function.slot(),
                    entry.name(),
                    e);
        }
    }

    /**
     * Takes a function from its driver, if it has one.
     *
     * @param gone the function has left
     */
    void unbind(Endpoint function, boolean gone) {
        Entry entry = bound.remove(function);
        idle.remove(function);
        if (entry == null) {
            return;
        }
        events.doing("driver %s leaves %s".formatted(entry.name(), function.address()));
        try {
            entry.driver().remove(function, gone || !function.isPresent());
        } catch (RuntimeException | Error e) {
            LOG.error(
                    "{} ({}): driver {} threw at remove",
                    function.address(),
                    function.slot(),
                    entry.name(),
                    e);
        }
        letGo(function);
    }

    /**
     * What the driver should have given back. Not before it has left: a transfer that it waits for
     * ends with an interrupt, and that needs bus master.
     */
    private static void letGo(Endpoint function) {
        function.stopBusMaster();
        function.releaseInterrupts();
        function.enable(false, false);
    }
}
