package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.core.space.Spans.Span;

/** Physical addresses that somebody provides, and who has windows onto them. */
final class Device implements DeviceMemory {
    private final PhysicalMap map;
    private final String name;
    private final AddressRange<PhysicalAddress> range;

    /** What answers; null: closed. Guarded by the map's lock, as is users. */
    private @Nullable Span span;

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

    /** [held: map] {@return what answers; null: closed} */
    @Nullable Span span() {
        return span;
    }

    /** [held: map] {@return whether that still answers; the object is one with windows then} */
    boolean use(Span seen, SharedObject object) {
        boolean still = seen.equals(span);
        if (still) {
            users.add(object);
        }
        return still;
    }

    /** [held: map] Something else answers; null: nobody. {@return who may have windows} */
    Set<SharedObject> span(@Nullable Span now) {
        span = now;
        Set<SharedObject> had = new LinkedHashSet<>(users);
        users.clear();
        return had;
    }

    @Override
    public void back(@Nullable MemorySegment bytes) {
        map.back(this, bytes);
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
