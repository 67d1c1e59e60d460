package org.peerlane.exporter.vfio;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.vfio.api.VfioFile;

/**
 * Writes of a value to a register of a BAR, one each time that an eventfd is added to (VF-66): a
 * guest's doorbell without its VMM in between. Dropped while memory is off.
 *
 * <p><b>Locks.</b> {@code vfio.ioeventfd} guards the list; a write takes {@code vfio.memory}.
 */
final class IoEventFds {
    private static final int MOST = 1000;

    private final Surroundings surroundings;
    private final VfioPciDevice device;
    private final OpenFunction function;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Map<Write, EventFdWatch> writes = new HashMap<>();

    private record Write(int bar, long offset, int bytes, long data) {}

    IoEventFds(Surroundings surroundings, VfioPciDevice device, OpenFunction function) {
        this.surroundings = surroundings;
        this.device = device;
        this.function = function;
        lock = surroundings.execution.lock("vfio.ioeventfd");
    }

    /** See {@link VfioFile#ioEventFd}. */
    void set(long offset, int bytes, long data, @Nullable EventFd event) {
        if (bytes != 1 && bytes != 2 && bytes != 4) {
            throw Interrupts.bad("writes of %d bytes; expected 1, 2 or 4".formatted(bytes));
        }
        long index = offset >>> VfioFile.INDEX_SHIFT;
        if (index >= VfioFile.ROM) {
            throw Interrupts.bad("there is no BAR at 0x%x of %s".formatted(offset, device));
        }
        int bar = (int) index;
        long in = offset - VfioFile.offset(bar);
        if (in > function.regions().info(bar).size() - bytes) {
            throw Interrupts.bad("0x%x is past the end of BAR %d of %s".formatted(in, bar, device));
        }
        if (function.regions().isMsiXTable(bar, in)
                || function.regions().isMsiXTable(bar, in + bytes - 1)) {
            throw Interrupts.bad("0x%x of BAR %d is in the MSI-X table".formatted(in, bar));
        }
        Write write = new Write(bar, in, bytes, data);
        lock.lock();
        try {
            if (event == null) {
                remove(write);
            } else {
                add(write, event);
            }
        } finally {
            lock.unlock();
        }
    }

    private void remove(Write write) {
        EventFdWatch old = writes.remove(write);
        if (old == null) {
            throw new ErrnoException(Errno.ENODEV, "there is no such " + write);
        }
        old.close();
    }

    private void add(Write write, EventFd event) {
        if (writes.containsKey(write)) {
            throw new ErrnoException(Errno.EEXIST, "there is an eventfd for " + write);
        }
        if (writes.size() >= MOST) {
            throw new ErrnoException(Errno.ENOSPC, device + " has " + MOST + " of them");
        }
        writes.put(
                write,
                EventFdWatch.begin(
                        surroundings.execution, "vfio.ioeventfd", event, () -> happens(write)));
    }

    private void happens(Write write) {
        device.memory.lock();
        try {
            if (device.openOrNull() == function && function.isReachable(write.bar())) {
                device.function().write(write.bar(), write.offset(), write.bytes(), write.data());
            }
        } finally {
            device.memory.unlock();
        }
    }

    /** The function is closed. */
    void close() {
        lock.lock();
        try {
            writes.values().forEach(EventFdWatch::close);
            writes.clear();
        } finally {
            lock.unlock();
        }
    }
}
