package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * The slots of the board, by name and by place. No two have either in common.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
@SuppressWarnings("ReferenceEquality") // ports are what they are
final class Slots {
    private final Tree tree;
    private final List<Slot> slots = new ArrayList<>();

    Slots(Tree tree) {
        this.tree = tree;
    }

    /** {@return all, in the order in which they came; a copy} */
    List<Slot> all() {
        return List.copyOf(slots);
    }

    /**
     * Adds one.
     *
     * @throws ErrnoException {@code EEXIST} its name or place is taken
     */
    void add(Slot slot) {
        for (Slot other : slots) {
            if (other.config.name().equals(slot.config.name()) || other.place.equals(slot.place)) {
                throw new ErrnoException(
                        Errno.EEXIST,
                        "slot %s is there already, %s"
                                .formatted(other.config.name(), other.config.where()));
            }
        }
        slots.add(slot);
    }

    void remove(Slot slot) {
        slots.remove(slot);
    }

    void clear() {
        slots.clear();
    }

    boolean has(String name) {
        return slots.stream().anyMatch(slot -> slot.config.name().equals(name));
    }

    /**
     * {@return the slot of a name}
     *
     * @throws ErrnoException {@code ENODEV} there is none
     */
    Slot find(String name) {
        return slots.stream()
                .filter(slot -> slot.config.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ErrnoException(
                                Errno.ENODEV,
                                "there is no slot '%s'; expected one of %s"
                                        .formatted(name, names())));
    }

    private List<String> names() {
        return Stream.concat(
                        slots.stream().map(slot -> slot.config.name()), tree.switchNames().stream())
                .toList();
    }

    /**
     * {@return the slot of a name, with something in it}
     *
     * @throws ErrnoException {@code ENODEV} there is none; {@code EBUSY} it is empty
     */
    Slot occupied(String name) {
        Slot slot = find(name);
        if (slot.function == null) {
            throw new ErrnoException(Errno.EBUSY, "slot %s is empty".formatted(name));
        }
        return slot;
    }

    /** {@return the slots below a port, those below a switch in it, too} */
    List<Slot> below(Port port) {
        return slots.stream().filter(slot -> isBelow(slot.place.bus(), port)).toList();
    }

    private static boolean isBelow(Bus bus, Port port) {
        Port above = bus.parent;
        while (above != null && above != port) {
            above = above.bus().parent;
        }
        return above != null;
    }
}
