package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
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
    private final Slots slots;
    private final List<DeviceKind> types = new ArrayList<>();

    Population(Fabric fabric, Tracer tracer, EventQueue events, Tree tree, Enumerator enumerator) {
        this.fabric = fabric;
        this.tracer = tracer;
        this.events = events;
        this.tree = tree;
        this.enumerator = enumerator;
        slots = new Slots(tree);
        drivers = new Drivers(events);
        virtuals = new VirtualPopulation(fabric, events, drivers);
        standstill = new Standstill(drivers, virtuals);
        fabric.onError((from, fatal) -> events.submit(() -> drivers.errorDetected(from, fatal)));
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
            slots.add(new Slot(config, place));
            fill();
        } catch (ErrnoException e) {
            LOG.error("slot {} is left out: {}", config.name(), e.sentence());
        }
    }

    void removeSlot(SlotConfig config) {
        for (Slot slot : slots.all()) {
            if (slot.config == config) { // not one with equal text, which was left out
                eject(slot);
                slots.remove(slot);
            }
        }
        vacated();
    }

    void addType(DeviceType service, String name, TypeVersion version) {
        types.add(new DeviceKind(service, name, version));
        fill();
    }

    /** The type leaves, and each of its devices by surprise. */
    void removeType(DeviceType service) {
        types.removeIf(type -> type.service() == service);
        for (Slot slot : slots.all()) {
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
        slots.all().forEach(this::eject);
        slots.clear();
        types.clear();
    }

    /** Everything that can come comes, and only then drivers meet it: who has none may move. */
    private void fill() {
        List<Slot> fresh = new ArrayList<>();
        for (Slot slot : slots.all()) {
            Optional<DeviceKind> best =
                    types.stream()
                            .filter(type -> type.name().equals(slot.config.device()))
                            .max(Comparator.comparing(DeviceKind::version));
            if (slot.function == null
                    && !slot.emptied
                    && slot.isAttached()
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

    private void plug(Slot slot, DeviceKind type) {
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

    private static void refuse(String slot, DeviceKind type, Throwable e) {
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

    /**
     * Takes a device out in order, the way of {@link PcieBus#eject}; or a switch with all below.
     */
    void eject(String name) {
        BoardSwitch whole = pluggedIn(name);
        if (whole != null) {
            eject(whole.above());
            return;
        }
        Slot slot = slots.occupied(name);
        Port port = slot.place.bus().parent;
        if (port == null || !port.isHotplug()) {
            slot.emptied = true;
            eject(slot);
            vacated();
        } else {
            eject(port);
        }
    }

    private void eject(Port port) {
        if (!port.isHotplug()) {
            unbindBelow(port);
            takeOut(port);
            return;
        }
        if (!port.slotBelow().pressButton()) {
            throw new ErrnoException(
                    Errno.EBUSY, "the power indicator of %s blinks already".formatted(port));
        }
        SlotControl control = new SlotControl(port);
        control.indicator(SlotControl.BLINKS);
        unbindBelow(port);
        control.powerOff(); // the hand that waits for it takes the device out
    }

    private void unbindBelow(Port port) {
        for (Slot slot : slots.below(port)) {
            if (slot.function != null) {
                unbind(slot.function);
            }
        }
    }

    /**
     * Pulls a device out, the way of {@link PcieBus#pull}: with all of its functions; or a switch
     * with all below.
     */
    void pull(String name) {
        BoardSwitch whole = pluggedIn(name);
        if (whole != null) {
            takeOut(whole.above());
            return;
        }
        Slot slot = slots.occupied(name);
        Port port = slot.place.bus().parent;
        if (port == null) {
            slot.emptied = true;
            unplug(slot);
            vacated();
        } else {
            takeOut(port);
        }
    }

    /** Whatever is in the slot below a port goes, in one piece: what is below a switch with it. */
    void takeOut(Port port) {
        BoardSwitch whole = tree.switchAt(port.name());
        if (whole == null) {
            for (Slot slot : slots.below(port)) {
                slot.emptied = true;
                unplug(slot);
            }
        } else if (whole.isPluggedIn()) {
            List<Slot> gone = slots.below(port).stream().filter(s -> s.function != null).toList();
            gone.forEach(this::depart);
            whole.detach(fabric);
            gone.forEach(this::bury);
            LOG.info("switch {} has left, and {} functions below it", whole.name(), gone.size());
        }
        vacated();
    }

    /** Puts the device back, the way of {@link PcieBus#plug}; or a switch with all below. */
    void plug(String name) {
        BoardSwitch whole = slots.has(name) ? null : tree.switchAt(name);
        if (whole != null) {
            if (whole.isPluggedIn()) {
                throw new ErrnoException(
                        Errno.EBUSY, "switch %s is in its slot".formatted(whole.name()));
            }
            whole.attach(fabric);
            enumerator.reopen(whole.above().secondary());
            LOG.info("switch {} has come", whole.name());
            fill();
            return;
        }
        Slot slot = slots.find(name);
        if (!slot.isAttached()) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "slot %s: the port %s is not there".formatted(name, slot.config.port()));
        }
        if (slot.function != null) {
            throw new ErrnoException(
                    Errno.EBUSY, "slot %s has %s in it".formatted(name, slot.function));
        }
        Port port = slot.place.bus().parent;
        for (Slot one : port == null ? List.of(slot) : slots.below(port)) {
            one.emptied = false;
        }
        fill();
    }

    /** {@return the switch that is meant, or null: a slot is} */
    private @Nullable BoardSwitch pluggedIn(String name) {
        BoardSwitch whole = slots.has(name) ? null : tree.switchAt(name);
        if (whole != null && !(whole.isPluggedIn() && whole.above().isPresent())) {
            throw new ErrnoException(Errno.EBUSY, "slot %s is empty".formatted(name));
        }
        return whole;
    }

    /** Something is in the slot; the operating system switches it on (PC-70). */
    private static void powerOn(Port port) {
        port.slotBelow().presence(true);
        if (port.isHotplug()) {
            new SlotControl(port).powerOn();
        }
    }

    /** The last function of a device below a port has gone. */
    private static void linkDown(Bus bus) {
        if (bus.parent != null && bus.members().length == 0) {
            bus.parent.slotBelow().presence(false);
        }
    }

    /** By surprise, as far as a driver that is still there can tell (PC-68). */
    private void unplug(Slot slot) {
        if (slot.function != null) {
            depart(slot);
            linkDown(slot.place.bus());
            bury(slot);
        }
    }

    private void depart(Slot slot) {
        Endpoint function = occupant(slot);
        events.doing("removal of " + function.address() + " (" + function.slot() + ")");
        function.depart(true);
    }

    private static Endpoint occupant(Slot slot) {
        return Objects.requireNonNull(slot.function, slot.config.name());
    }

    /** After it has departed: its driver hears of it, and the model ends. */
    private void bury(Slot slot) {
        Endpoint function = occupant(slot);
        virtuals.attend(function.virtuals());
        drivers.unbind(function, true);
        events.doing("close of device " + slot.type + " in slot " + function.slot());
        function.close();
        drivers.forget(function);
        enumerator.release(function);
        slot.function = null;
        slot.type = null;
        LOG.info("{}: {} has left", function.address(), function.slot());
        if (fabric.trace.removed.isOn()) {
            fabric.trace.removed.emit(
                    new BusEvents.FunctionRemoved(function.address(), function.slot()));
        }
    }
}
