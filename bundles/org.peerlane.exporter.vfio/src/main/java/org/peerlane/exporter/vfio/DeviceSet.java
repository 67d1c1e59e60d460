package org.peerlane.exporter.vfio;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.peerlane.bus.api.FunctionReset;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.NamedLock;

/**
 * The functions that share a reset: those on one bus below a port; on a root bus each is its own,
 * and so is a virtual function (VF-52). Kernel counterpart: {@code struct vfio_device_set}.
 */
final class DeviceSet {
    /** {@code vfio.set}: opens, closes and hot resets of its functions. */
    final NamedLock lock;

    private final PcieAddress bus;
    private final boolean shared;

    /** Guarded by {@link #lock}. */
    private final Set<VfioPciDevice> members = new LinkedHashSet<>();

    private DeviceSet(PcieFunction function, Surroundings surroundings, boolean shared) {
        lock = surroundings.execution.lock("vfio.set");
        bus = function.address();
        this.shared = shared;
    }

    /** {@return whether there is a reset that a function shares} */
    static boolean isShared(PcieBus bus, PcieFunction function) {
        return !VirtualFunction.isVirtual(function)
                && !new FunctionReset(bus.functions(), function).set().isEmpty();
    }

    /**
     * {@return the one that a function belongs to, an old one if another of it is bound}
     *
     * @param shared what {@link #isShared} has said
     */
    static DeviceSet of(
            PcieFunction function,
            Surroundings surroundings,
            boolean shared,
            Collection<VfioPciDevice> bound) {
        for (VfioPciDevice other : bound) {
            DeviceSet set = other.set();
            if (shared && set.shared && set.covers(function.address())) {
                return set;
            }
        }
        return new DeviceSet(function, surroundings, shared);
    }

    private boolean covers(PcieAddress address) {
        return address.segment() == bus.segment() && address.bus() == bus.bus();
    }

    void add(VfioPciDevice device) {
        lock.lock();
        try {
            members.add(device);
        } finally {
            lock.unlock();
        }
    }

    /** [held] */
    void remove(VfioPciDevice device) {
        assert lock.isHeldByCurrentThread();
        members.remove(device);
    }

    /** {@return [held] those that are bound; a copy} */
    List<VfioPciDevice> members() {
        assert lock.isHeldByCurrentThread();
        return List.copyOf(members);
    }
}
