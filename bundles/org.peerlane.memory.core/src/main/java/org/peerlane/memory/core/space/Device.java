package org.peerlane.memory.core.space;

import java.util.LinkedHashSet;
import java.util.Set;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.DeviceMemory;

/** Physical addresses that somebody provides, and who has windows onto them. */
final class Device implements DeviceMemory {
    private final PhysicalMap map;
    private final String name;
    private final AddressRange<PhysicalAddress> range;

    /** Guarded by the map's lock, as is users. */
    private boolean closed;

    private final Set<SharedObject> users = new LinkedHashSet<>();

    Device(PhysicalMap map, String name, AddressRange<PhysicalAddress> range) {
        this.map = map;
        this.name = name;
        this.range = range;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public AddressRange<PhysicalAddress> range() {
        return range;
    }

    /** [held: map] {@return whether it is still there; the object is one with windows then} */
    boolean use(SharedObject object) {
        if (!closed) {
            users.add(object);
        }
        return !closed;
    }

    /** [held: map] {@return who may have windows, for the last time} */
    Set<SharedObject> end() {
        closed = true;
        Set<SharedObject> had = new LinkedHashSet<>(users);
        users.clear();
        return had;
    }

    /** [held: map] */
    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        map.remove(this);
    }

    @Override
    public String toString() {
        return "%s, %s".formatted(name, range);
    }
}
