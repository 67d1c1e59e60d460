package org.peerlane.exporter.vfio;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Machine;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpaces;
import org.peerlane.vfio.api.Vfio;
import org.peerlane.vfio.api.VfioDevice;

/**
 * The driver of functions that are passed through. It drives those only that are overridden to its
 * name.
 *
 * <p>It needs buffers, they need the bus, and the bus looks for drivers when it begins; so it
 * becomes a driver only when all of that is there, and not by its own declaration.
 *
 * <p><b>Life.</b> A function is a {@link VfioPciDevice} from probe to remove. <b>Locks.</b> {@code
 * vfio.bound} guards the list only.
 *
 * <p><b>Threads.</b> Any.
 */
@Component(service = Vfio.class, immediate = true)
public final class VfioPci implements Vfio, PcieDriver {
    private final Surroundings surroundings;
    private final NamedLock lock;

    /** Guarded by lock. */
    private final Map<PcieFunction, VfioPciDevice> bound = new HashMap<>();

    private @Nullable ServiceRegistration<PcieDriver> registration;

    /** Made by the framework. */
    @Activate
    @SuppressWarnings("this-escape") // the bus may call at once
    public VfioPci(
            @Reference Execution execution,
            @Reference PcieBus bus,
            @Reference DmaBufs dmabufs,
            @Reference AddressSpaces spaces,
            @Reference Machine machine,
            BundleContext context) {
        this(execution, bus, dmabufs, spaces, machine.profile());
        registration = context.registerService(PcieDriver.class, this, null);
    }

    /** Without a framework. */
    public VfioPci(
            Execution execution,
            PcieBus bus,
            DmaBufs dmabufs,
            AddressSpaces spaces,
            Profile profile) {
        surroundings = new Surroundings(execution, bus, dmabufs, spaces, profile);
        lock = execution.lock("vfio.bound");
    }

    @Override
    public String name() {
        return DRIVER;
    }

    @Override
    public boolean matches(PcieFunction function) {
        return false;
    }

    @Override
    public void probe(PcieFunction function) {
        boolean shared = DeviceSet.isShared(surroundings.bus, function);
        lock.lock();
        try {
            DeviceSet set = DeviceSet.of(function, surroundings, shared, bound.values());
            bound.put(function, new VfioPciDevice(surroundings, function, set));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void errorDetected(PcieFunction function, boolean fatal) {
        VfioPciDevice device = find(function);
        OpenFunction open = device == null ? null : device.openOrNull();
        if (open != null) {
            open.interrupts().errorDetected();
        }
    }

    @Override
    public void remove(PcieFunction function, boolean gone) {
        VfioPciDevice device;
        lock.lock();
        try {
            device = bound.remove(function);
        } finally {
            lock.unlock();
        }
        if (device != null) {
            device.unbind();
        }
    }

    /** The driver goes: what the bus has not taken back by now. */
    @Deactivate
    public void close() {
        if (registration != null) {
            registration.unregister(); // the bus takes back what it has given
        }
        for (VfioDevice left : devices()) {
            remove(left.function(), !left.function().isPresent());
        }
    }

    @Override
    public List<VfioDevice> devices() {
        List<VfioDevice> now;
        lock.lock();
        try {
            now = new ArrayList<>(bound.values());
        } finally {
            lock.unlock();
        }
        now.sort(Comparator.comparing(one -> one.function().address()));
        return now;
    }

    @Override
    public VfioDevice device(PcieFunction function) {
        VfioDevice found = find(function);
        if (found == null) {
            throw new ErrnoException(
                    Errno.ENODEV,
                    "%s is not bound to %s; override its driver with that name, and bind it"
                            .formatted(function.slot(), DRIVER));
        }
        return found;
    }

    private @Nullable VfioPciDevice find(PcieFunction function) {
        lock.lock();
        try {
            return bound.get(function);
        } finally {
            lock.unlock();
        }
    }
}
