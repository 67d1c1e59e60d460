package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceModel;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.VirtualFunctions;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.trace.api.Tracer;

/**
 * Which slots there are, which devices sit in them and which drivers drive those.
 *
 * <p><b>A slot</b> takes the highest version of its type that is there when it becomes empty, and
 * keeps it until that very type leaves, or somebody takes the device out. <b>A function</b> is
 * offered to the drivers in the order in which they came; a driver that comes is offered what has
 * none.
 *
 * <p><b>Threads.</b> The life-cycle thread only; so no lock.
 */
@SuppressWarnings("ReferenceEquality") // of two equal ones, the very one that was added
final class Population {
    private static final Logger LOG = LogManager.getLogger(Population.class);

    private final Fabric fabric;
    private final Tracer tracer;
    private final EventQueue events;
    private final Tree tree;
    private final Enumerator enumerator;
    private final Drivers drivers;
    private final VirtualPopulation virtuals;
    private final Standstill standstill;
    private final List<Slot> slots = new ArrayList<>();
    private final List<Type> types = new ArrayList<>();

    /** A kind of device that is there. */
    private record Type(DeviceType service, String name, TypeVersion version) {
        @Override
        public String toString() {
            return name + " " + version;
        }
    }

    private static final class Slot {
        final SlotConfig config;
        final Tree.Place place;
        @Nullable Type type;
        @Nullable Endpoint function;

        /** Somebody has taken the device out; the slot waits for a hand, not for a type. */
        boolean emptied;

        /** It has had a device: whatever comes now is plugged in. */
        boolean populated;

        /** The type that could not be put into the slot; not tried again. */
        @Nullable Type failed;

        Slot(SlotConfig config, Tree.Place place) {
            this.config = config;
            this.place = place;
        }
    }

    Population(Fabric fabric, Tracer tracer, EventQueue events, Tree tree, Enumerator enumerator) {
        this.fabric = fabric;
        this.tracer = tracer;
        this.events = events;
        this.tree = tree;
        this.enumerator = enumerator;
        drivers = new Drivers(events);
        virtuals = new VirtualPopulation(fabric, events, drivers);
        standstill = new Standstill(drivers, virtuals);
        fabric.onSwitchedOff(port -> {
            if (events.isCurrent()) {
                takeOut(port);
            } else {
                events.submit(() -> takeOut(port));
            }
        });
    }

    Drivers drivers() {
        return drivers;
    }

    void addSlot(SlotConfig config) {
        try {
            Tree.Place place =
                    config.port().isEmpty()
                            ? tree.place(config.address())
                            : tree.below(config.port(), config.function());
            checkFree(config, place);
            slots.add(new Slot(config, place));
            fill();
        } catch (ErrnoException e) {
            LOG.error("slot {} is left out: {}", config.name(), e.sentence());
        }
    }

    private void checkFree(SlotConfig config, Tree.Place place) {
        for (Slot other : slots) {
            if (other.config.name().equals(config.name()) || other.place.equals(place)) {
                throw new ErrnoException(
                        Errno.EEXIST,
                        "slot %s is there already, %s"
                                .formatted(other.config.name(), other.config.where()));
            }
        }
    }

    void removeSlot(SlotConfig config) {
        for (Slot slot : List.copyOf(slots)) {
            if (slot.config == config) { // not one with equal text, which was left out
                eject(slot);
                slots.remove(slot);
            }
        }
        vacated();
    }

    void addType(DeviceType service, String name, TypeVersion version) {
        types.add(new Type(service, name, version));
        fill();
    }

    /** The type leaves, and each of its devices by surprise. */
    void removeType(DeviceType service) {
        types.removeIf(type -> type.service() == service);
        for (Slot slot : slots) {
            if (slot.failed != null && slot.failed.service() == service) {
                slot.failed = null;
            }
            if (slot.type != null && slot.type.service() == service) {
                unplug(slot);
            }
        }
        vacated();
        fill();
    }

    /** Orderly, all of it. */
    void clear() {
        slots.forEach(this::eject);
        slots.clear();
        types.clear();
    }

    /** Everything that can come comes, and only then drivers meet it: who has none may move. */
    private void fill() {
        List<Slot> fresh = new ArrayList<>();
        for (Slot slot : slots) {
            Optional<Type> best =
                    types.stream()
                            .filter(type -> type.name().equals(slot.config.device()))
                            .max(Comparator.comparing(Type::version));
            if (slot.function == null
                    && !slot.emptied
                    && best.isPresent()
                    && slot.failed != best.get()) {
                plug(slot, best.get());
                fresh.add(slot);
            }
        }
        standstill.resume();
        for (Slot slot : fresh) {
            if (slot.function != null && drivers.of(slot.function) == null) {
                drivers.offer(slot.function);
            }
        }
    }

    /** Addresses are free again, perhaps for somebody who has none. */
    private void vacated() {
        List<Endpoint> helped = enumerator.placement().retry(standstill);
        standstill.resume();
        helped.forEach(drivers::offer);
    }

    /** Gives a BAR another size, for the driver of its function. */
    void resize(Endpoint function, int index, long bytes) {
        standstill.asks(function);
        try {
            enumerator.placement().resize(function, index, bytes, standstill);
        } finally {
            standstill.asks(null);
            events.submit(standstill::resume); // not in the middle of a probe
        }
    }

    private void plug(Slot slot, Type type) {
        String name = slot.config.name();
        events.doing("device " + type + " for slot " + name);
        FunctionDmaPort port = new FunctionDmaPort(fabric);
        FunctionInterrupts interrupts = new FunctionInterrupts(port, fabric);
        AtsFunction ats = new AtsFunction(port, fabric);
        DeviceModel model = null;
        Endpoint function;
        try {
            SlotView view =
                    new SlotView(
                            name,
                            slot.config.options(),
                            port,
                            interrupts,
                            ats,
                            fabric.execution,
                            tracer);
            model = type.service().create(view);
            function =
                    new Endpoint(
                            fabric,
                            slot.place.bus(),
                            slot.place.number(),
                            name,
                            port,
                            interrupts,
                            ats,
                            model);
            var srIov = function.layout().capability(CapabilityLayout.SrIov.class);
            if (model instanceof VirtualFunctions maker && srIov.isPresent()) {
                function.virtuals(new VirtualSet(function, fabric, maker, srIov.get(), view));
            }
        } catch (RuntimeException | Error e) {
            slot.failed = type;
            refuse(name, type, e);
            if (model != null) {
                closeQuietly(name, model);
            }
            return;
        }
        slot.type = type;
        slot.function = function;
        fabric.add(function);
        Port above = slot.place.bus().parent;
        if (above != null) {
            powerOn(above);
        }
        enumerator.assign(function, standstill, !slot.populated);
        slot.populated = true;
        LOG.info(
                "{}: {} {} {}",
                function.address(),
                name,
                type,
                "[%04x:%04x]".formatted(function.vendorId(), function.deviceId()));
        if (fabric.trace.added.isOn()) {
            fabric.trace.added.emit(
                    new BusEvents.FunctionAdded(function.address(), name, type.name()));
        }
    }

    private static void refuse(String slot, Type type, Throwable e) {
        if (e instanceof ErrnoException errno) {
            LOG.error("slot {} stays empty: device {}: {}", slot, type, errno.sentence());
        } else {
            LOG.error("slot {} stays empty: device {} threw", slot, type, e);
        }
    }

    private static void closeQuietly(String slot, DeviceModel model) {
        try {
            model.close();
        } catch (RuntimeException | Error e) {
            LOG.error("slot {}: the device threw at close", slot, e);
        }
    }

    /** Orderly: the driver goes first. */
    private void eject(Slot slot) {
        if (slot.function != null) {
            unbind(slot.function);
            unplug(slot);
        }
    }

    private void unbind(Endpoint function) {
        virtuals.unbind(function);
        drivers.unbind(function, false);
    }

    /** Takes a device out in order, the way of {@link PcieBus#eject}. */
    void eject(String name) {
        Slot slot = occupied(name);
        Port port = slot.place.bus().parent;
        if (port == null || !port.isHotplug()) {
            slot.emptied = true;
            eject(slot);
            vacated();
            return;
        }
        if (!port.pressButton()) {
            throw new ErrnoException(
                    Errno.EBUSY, "the power indicator of %s blinks already".formatted(port));
        }
        SlotControl control = new SlotControl(port);
        control.indicator(SlotControl.BLINKS);
        for (Slot other : below(port)) {
            if (other.function != null) {
                unbind(other.function);
            }
        }
        control.powerOff(); // the hand that waits for it takes the device out
    }

    /** Pulls a device out, the way of {@link PcieBus#pull}: with all of its functions. */
    void pull(String name) {
        Slot slot = occupied(name);
        Port port = slot.place.bus().parent;
        if (port == null) {
            slot.emptied = true;
            unplug(slot);
            vacated();
        } else {
            takeOut(port);
        }
    }

    /** Whatever is in the slot below a port goes, in one piece. */
    void takeOut(Port port) {
        for (Slot slot : below(port)) {
            slot.emptied = true;
            unplug(slot);
        }
        vacated();
    }

    /** Puts the device back, the way of {@link PcieBus#plug}. */
    void plug(String name) {
        Slot slot = find(name);
        if (slot.function != null) {
            throw new ErrnoException(
                    Errno.EBUSY, "slot %s has %s in it".formatted(name, slot.function));
        }
        Port port = slot.place.bus().parent;
        for (Slot one : port == null ? List.of(slot) : below(port)) {
            one.emptied = false;
        }
        fill();
    }

    private List<Slot> below(Port port) {
        return slots.stream().filter(slot -> slot.place.bus() == port.secondary()).toList();
    }

    private Slot find(String name) {
        return slots.stream()
                .filter(slot -> slot.config.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ErrnoException(
                                Errno.ENODEV,
                                "there is no slot '%s'; expected one of %s"
                                        .formatted(
                                                name,
                                                slots.stream()
                                                        .map(s -> s.config.name())
                                                        .toList())));
    }

    private Slot occupied(String name) {
        Slot slot = find(name);
        if (slot.function == null) {
            throw new ErrnoException(Errno.EBUSY, "slot %s is empty".formatted(name));
        }
        return slot;
    }

    /** Something is in the slot; the operating system switches it on (PC-70). */
    private static void powerOn(Port port) {
        port.presence(true);
        if (port.isHotplug()) {
            new SlotControl(port).powerOn();
        }
    }

    /** The last function of a device below a port has gone. */
    private static void linkDown(Bus bus) {
        if (bus.parent != null && bus.members().length == 0) {
            bus.parent.presence(false);
        }
    }

    /** By surprise, as far as a driver that is still there can tell (PC-68). */
    private void unplug(Slot slot) {
        Endpoint function = slot.function;
        if (function == null) {
            return;
        }
        events.doing("removal of " + function.address() + " (" + function.slot() + ")");
        function.depart(true);
        linkDown(slot.place.bus());
        virtuals.attend(function.virtuals());
        drivers.unbind(function, true);
        events.doing("close of device " + slot.type + " in slot " + function.slot());
        function.close();
        enumerator.placement().release(function);
        slot.function = null;
        slot.type = null;
        LOG.info("{}: {} has left", function.address(), function.slot());
        if (fabric.trace.removed.isOn()) {
            fabric.trace.removed.emit(
                    new BusEvents.FunctionRemoved(function.address(), function.slot()));
        }
    }
}
