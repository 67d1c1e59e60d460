package org.peerlane.exporter.vfio;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.vfio.api.HotResetEntry;
import org.peerlane.vfio.api.VfioFile;

/**
 * A reset of all functions below a port (VF-53 to VF-56). One that nobody has open has no virtual
 * config space and no buffers: it is locked and reset, and nothing else is asked of it.
 *
 * <p><b>Locks.</b> {@code vfio.set}, then {@code vfio.memory} of each, which are only tried: two
 * hot resets, or one and a long access, must not wait for each other.
 */
final class HotReset {
    private final VfioPciDevice device;

    HotReset(VfioPciDevice device) {
        this.device = device;
    }

    List<HotResetEntry> info() {
        DeviceSet set = device.set();
        set.lock.lock();
        try {
            Map<PcieFunction, VfioPciDevice> bound = bound(set);
            List<HotResetEntry> entries = new ArrayList<>();
            for (PcieFunction function : functions()) {
                VfioPciDevice one = bound.get(function);
                entries.add(
                        new HotResetEntry(
                                function, one != null, one != null && one.openOrNull() != null));
            }
            return entries;
        } finally {
            set.lock.unlock();
        }
    }

    private List<PcieFunction> functions() {
        List<PcieFunction> functions = device.resets().set();
        if (functions.isEmpty()) {
            throw new ErrnoException(
                    Errno.ENODEV, device + " is on a root bus, which no port can reset");
        }
        return functions;
    }

    private static Map<PcieFunction, VfioPciDevice> bound(DeviceSet set) {
        Map<PcieFunction, VfioPciDevice> bound = new HashMap<>();
        set.members().forEach(one -> bound.put(one.function(), one));
        return bound;
    }

    void run(List<VfioFile> owned) {
        DeviceSet set = device.set();
        set.lock.lock();
        try {
            List<PcieFunction> functions = functions();
            if (owned.isEmpty() || owned.size() > functions.size()) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%d files as proof; the reset concerns %d functions"
                                .formatted(owned.size(), functions.size()));
            }
            reset(ours(functions, bound(set), owned));
        } finally {
            set.lock.unlock();
        }
    }

    private static List<VfioPciDevice> ours(
            List<PcieFunction> functions,
            Map<PcieFunction, VfioPciDevice> bound,
            List<VfioFile> owned) {
        List<VfioPciDevice> all = new ArrayList<>();
        for (PcieFunction function : functions) {
            VfioPciDevice one = bound.get(function);
            if (one == null) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%s is reset too, and is not bound to VFIO".formatted(function.slot()));
            }
            boolean mine = owned.stream().anyMatch(file -> file.device().equals(one));
            if (one.openOrNull() != null && !mine) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "%s is reset too, and somebody else has it open".formatted(one));
            }
            all.add(one);
        }
        return all;
    }

    /** [set] Nobody has the device open any more: the set is reset, if none is open (VF-57). */
    void afterClose() {
        List<VfioPciDevice> members = device.set().members();
        if (members.stream().anyMatch(one -> one.openOrNull() != null)
                || members.stream().noneMatch(VfioPciDevice::needsReset)
                || !device.function().isPresent()) {
            return;
        }
        List<PcieFunction> functions = device.resets().set();
        if (!functions.isEmpty() && bound(device.set()).keySet().containsAll(functions)) {
            reset(members);
        }
    }

    /** Whatever has been taken from a function is given back, latest first, also on an error. */
    private void reset(List<VfioPciDevice> all) {
        Deque<VfioPciDevice> locked = new ArrayDeque<>();
        try {
            for (VfioPciDevice one : all) {
                if (!one.memory.tryLock()) {
                    throw new ErrnoException(
                            Errno.EBUSY, "the memory of %s is in use".formatted(one));
                }
                locked.push(one);
                OpenFunction open = one.openOrNull();
                if (open != null) {
                    open.takeAway();
                }
            }
            for (VfioPciDevice one : all) {
                wake(one.openOrNull());
            }
            device.resets().hotSet();
            all.forEach(VfioPciDevice::wasReset);
        } finally {
            for (VfioPciDevice one : locked) {
                OpenFunction open = one.openOrNull();
                try {
                    if (open != null) {
                        open.afterReset();
                    }
                } finally {
                    one.memory.unlock();
                }
            }
        }
    }

    private static void wake(@Nullable OpenFunction open) {
        if (open != null) {
            open.config().powerState(0);
        }
    }
}
