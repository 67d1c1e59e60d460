package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.DeviceMemory;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.memory.api.RegisterAccess;
import org.peerlane.memory.core.space.Spans.Span;

/**
 * What a CPU reaches by physical address: RAM, which never changes, and device memory, which comes
 * and goes.
 *
 * <p><b>Locks.</b> {@code memory.physical-map}, a leaf, for changes; readers take the snapshot.
 */
final class PhysicalMap {
    private final NamedLock lock;
    private final AccessGate gate;
    private final Spans ram;
    private volatile Spans all;

    PhysicalMap(Execution execution, PhysicalMemory memory, AccessGate gate) {
        lock = execution.lock("memory.physical-map");
        this.gate = gate;
        List<Span> spans = new ArrayList<>();
        for (MemoryRegion region : memory.regions()) {
            spans.add(span(region.range(), region.segment(), null, null));
        }
        ram = new Spans(spans);
        all = ram;
    }

    private static Span span(
            AddressRange<PhysicalAddress> range,
            @Nullable MemorySegment segment,
            @Nullable RegisterAccess registers,
            @Nullable Device device) {
        return new Span(range.first().value(), range.last().value(), segment, registers, device);
    }

    Spans ram() {
        return ram;
    }

    Spans all() {
        return all;
    }

    DeviceMemory add(
            String name,
            AddressRange<PhysicalAddress> range,
            @Nullable MemorySegment segment,
            @Nullable RegisterAccess registers) {
        check(name, range, segment);
        if (range.first().value() < 0 || range.last().value() < 0) {
            throw new ErrnoException(
                    Errno.EINVAL, "%s: %s; expected an end below 2^63".formatted(name, range));
        }
        Device device = new Device(this, name, range);
        Span added = span(range, segment, registers, device);
        lock.lock();
        try {
            List<Span> now = new ArrayList<>(all.all());
            for (Span other : now) {
                if (added.first() <= other.last() && other.first() <= added.last()) {
                    throw new ErrnoException(
                            Errno.EBUSY,
                            "%s, %s: 0x%x-0x%x is %s"
                                    .formatted(
                                            name,
                                            range,
                                            other.first(),
                                            other.last(),
                                            other.device() == null ? "RAM" : other.device()));
                }
            }
            now.add(added);
            now.sort(Comparator.comparingLong(Span::first));
            all = new Spans(now);
            device.span(added);
        } finally {
            lock.unlock();
        }
        return device;
    }

    private static void check(
            String name, AddressRange<PhysicalAddress> range, @Nullable MemorySegment segment) {
        if (segment != null && segment.byteSize() != range.bytes()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s: a segment of %d bytes for %s".formatted(name, segment.byteSize(), range));
        }
        if (segment != null && !segment.isNative()) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%s: a segment on the heap; expected a native one".formatted(name));
        }
    }

    /** [held: the object's lock] {@return whether windows onto it may be opened} */
    boolean use(Device device, Span seen, SharedObject object) {
        lock.lock();
        try {
            return device.use(seen, object);
        } finally {
            lock.unlock();
        }
    }

    /** See {@link DeviceMemory#back}. */
    void back(Device device, @Nullable MemorySegment segment) {
        check(device.name(), device.range(), segment);
        Set<SharedObject> users;
        lock.lock();
        try {
            Span before = device.span();
            if (before == null) {
                return;
            }
            if (before.registers() == null) {
                throw new ErrnoException(
                        Errno.EINVAL, "%s has no registers behind its memory".formatted(device));
            }
            Span now = span(device.range(), segment, before.registers(), device);
            users = replace(device, before, now);
        } finally {
            lock.unlock();
        }
        leave(device, users);
    }

    void remove(Device device) {
        Set<SharedObject> users;
        lock.lock();
        try {
            Span before = device.span();
            if (before == null) {
                return;
            }
            users = replace(device, before, null);
        } finally {
            lock.unlock();
        }
        leave(device, users);
    }

    /** {@return who may have windows onto what was there before} */
    private Set<SharedObject> replace(Device device, Span before, @Nullable Span now) {
        assert lock.isHeldByCurrentThread();
        List<Span> spans = new ArrayList<>(all.all());
        int at = spans.indexOf(before);
        spans.remove(at);
        if (now != null) {
            spans.add(at, now);
        }
        all = new Spans(spans);
        return device.span(now);
    }

    /** Waits for those who still use what was there before. */
    private void leave(Device device, Set<SharedObject> users) {
        gate.flush();
        IllegalStateException heldUp = null;
        for (SharedObject user : users) {
            try {
                user.closeWindowsFor(device);
            } catch (IllegalStateException e) {
                heldUp = e;
            }
        }
        if (heldUp != null) {
            throw heldUp;
        }
    }
}
