package org.peerlane.bus.pcie;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.DmaObserver;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.MemoryWatcher;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerProvider;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.bus.api.RootComplex;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracer;

/**
 * A root complex: host bridges, the tree of ports below them, and the devices in it.
 *
 * <p><b>Life.</b> What comes and goes is queued to the life-cycle thread. Adding does not wait;
 * removing waits until the thing is out of use, at most {@link #LIMIT_NANOS}, and then logs who
 * holds it up. {@link #close} removes everything in order.
 *
 * <p><b>Locks.</b> {@code bus.reset}, {@code bus.topology}, {@code bus.msi}, {@code bus.function},
 * and inside of any of them {@code bus.watches}, with which those are told that {@linkplain
 * #watchMemory watch} memory. No plugin else is called with one of them but its {@code reset}, with
 * {@code bus.reset}.
 *
 * <p><b>Threads.</b> Any.
 */
public final class PcieRoot implements PcieBus, RootComplex, AutoCloseable {
    /** How long a removal is waited for. */
    public static final long LIMIT_NANOS = 5_000_000_000L;

    private static final Logger LOG = LogManager.getLogger(PcieRoot.class);

    private final Fabric fabric;
    private final EventQueue events;
    private final Population population;
    private final CpuAccess cpu;

    /**
     * @param execution threads, time and locks
     * @param tracer where the bus reports
     * @param memory the machine's RAM; its regions stay as long as the root complex
     * @param iommuDeclared the board has an IOMMU: without {@link #translation} all DMA is blocked
     */
    public PcieRoot(
            Execution execution, Tracer tracer, PhysicalMemory memory, boolean iommuDeclared) {
        this(
                execution,
                tracer,
                memory,
                List.of(HostBridgeConfig.DEFAULT),
                List.of(),
                iommuDeclared,
                false);
    }

    /**
     * @param execution threads, time and locks
     * @param tracer where the bus reports
     * @param memory the machine's RAM; its regions stay as long as the root complex
     * @param hosts the host bridges; no two have a bus of one segment, or an address, in common
     * @param ports root ports and switches; one that cannot be is logged and left out
     * @param iommuDeclared the board has an IOMMU: without {@link #translation} all DMA is blocked
     * @param queued posted writes are queued on their paths; under simulation they always are
     */
    public PcieRoot(
            Execution execution,
            Tracer tracer,
            PhysicalMemory memory,
            List<HostBridgeConfig> hosts,
            List<PortConfig> ports,
            boolean iommuDeclared,
            boolean queued) {
        this(execution, tracer, memory, hosts, ports, iommuDeclared, queued, false);
    }

    /**
     * @param execution threads, time and locks
     * @param tracer where the bus reports
     * @param memory the machine's RAM; its regions stay as long as the root complex
     * @param hosts the host bridges; no two have a bus of one segment, or an address, in common
     * @param ports root ports and switches; one that cannot be is logged and left out
     * @param iommuDeclared the board has an IOMMU: without {@link #translation} all DMA is blocked
     * @param queued posted writes are queued on their paths; under simulation they always are
     * @param rebalance a device that is plugged in may stop drivers of others to move their BARs
     */
    public PcieRoot(
            Execution execution,
            Tracer tracer,
            PhysicalMemory memory,
            List<HostBridgeConfig> hosts,
            List<PortConfig> ports,
            boolean iommuDeclared,
            boolean queued,
            boolean rebalance) {
        List<HostBridge> bridges = hosts.stream().map(HostBridge::new).toList();
        fabric =
                new Fabric(
                        execution,
                        new BusTrace(tracer),
                        memory,
                        bridges,
                        iommuDeclared,
                        queued || execution.isSimulated());
        events = new EventQueue(execution);
        cpu = new CpuAccess(fabric);
        Tree tree = new Tree(fabric, ports);
        population =
                new Population(
                        fabric, tracer, events, tree, new Enumerator(fabric, memory, rebalance));
        fabric.onResize((function, bar, bytes) ->
                events.call(
                        "another size of BAR %d of %s".formatted(bar, function.slot()),
                        LIMIT_NANOS,
                        () -> population.resize(function, bar, bytes)));
    }

    @Override
    public List<PcieFunction> functions() {
        return List.copyOf(fabric.functions());
    }

    @Override
    public boolean settle(long timeoutNanos) throws InterruptedException {
        return events.await(events.submit(() -> {}), timeoutNanos);
    }

    /**
     * Reads config space by requester id, as through ECAM; all-ones where no function is (PC-4).
     *
     * @param requesterId bus, device and function: 16 bits
     * @param offset 0 to 4095
     * @param bytes 1, 2 or 4, inside one dword
     */
    public long readConfig(int requesterId, int offset, int bytes) {
        return fabric.config.read(0, requesterId >>> 8, requesterId & 0xFF, offset, bytes);
    }

    @Override
    public PeerRoute peerRoute(PcieFunction provider, PcieFunction client) {
        return PeerDistance.of(provider, client);
    }

    @Override
    public List<PcieFunction> isolationGroup(PcieFunction function) {
        return function instanceof BusFunction ours && ours.isPresent()
                ? List.copyOf(IsolationGroups.of(ours))
                : List.of();
    }

    @Override
    public PeerProvider peerProvider(PcieFunction function, int index) {
        if (function instanceof Endpoint ours && ours.isPresent() && ours.bars().isPlaced(index)) {
            return new PeerProvider(function, index, ours.bus().host.offset());
        }
        throw new ErrnoException(
                Errno.EINVAL,
                "%s has no memory BAR %d with an address".formatted(function.slot(), index));
    }

    @Override
    public @Nullable String driver(PcieFunction function) {
        AtomicReference<@Nullable String> name = new AtomicReference<>();
        if (function instanceof Endpoint ours) {
            events.call(
                    "a look at the driver of " + function.slot(),
                    LIMIT_NANOS,
                    () -> name.set(population.drivers().of(ours)));
        }
        return name.get();
    }

    @Override
    public void overrideDriver(PcieFunction function, @Nullable String name) {
        Endpoint ours = ours(function);
        events.call(
                "an override of the driver of " + function.slot(),
                LIMIT_NANOS,
                () -> population.drivers().override(ours, name));
    }

    @Override
    public void unbindDriver(PcieFunction function) {
        Endpoint ours = ours(function);
        events.call(
                "unbinding of " + function.slot(),
                LIMIT_NANOS,
                () -> population.drivers().take(ours));
    }

    @Override
    public void bindDriver(PcieFunction function) {
        Endpoint ours = ours(function);
        events.call(
                "binding of " + function.slot(),
                LIMIT_NANOS,
                () -> population.drivers().give(ours));
    }

    private static Endpoint ours(PcieFunction function) {
        if (function instanceof Endpoint ours) {
            return ours;
        }
        throw new ErrnoException(Errno.ENODEV, function.slot() + " is a bridge; expected a device");
    }

    @Override
    public void watchMemory(AddressRange<PhysicalAddress> range, MemoryWatcher watcher) {
        fabric.watches.add(range, watcher);
    }

    @Override
    public void unwatchMemory(MemoryWatcher watcher) {
        fabric.watches.remove(watcher);
    }

    @Override
    public long load(long physical, int bytes) {
        return cpu.read(physical, bytes);
    }

    @Override
    public void store(long physical, int bytes, long value) {
        cpu.write(physical, bytes, value);
    }

    @Override
    public long in(long port, int bytes) {
        return cpu.in(port, bytes);
    }

    @Override
    public void out(long port, int bytes, long value) {
        cpu.out(port, bytes, value);
    }

    @Override
    public void eject(String slot) {
        events.call("ejection of " + slot, LIMIT_NANOS, () -> population.eject(slot));
    }

    @Override
    public void pull(String slot) {
        events.call("removal of " + slot, LIMIT_NANOS, () -> population.pull(slot));
    }

    @Override
    public void plug(String slot) {
        events.call("insertion into " + slot, LIMIT_NANOS, () -> population.plug(slot));
    }

    @Override
    public void drain(int requester) {
        Endpoint endpoint = fabric.requesters.find(requester);
        if (endpoint != null) {
            endpoint.port().drain();
        }
    }

    @Override
    public void drainAll() {
        fabric.drain();
    }

    @Override
    public boolean invalidate(int requester, int pasid, long iova, long bytes, long timeoutNanos) {
        Endpoint endpoint = fabric.requesters.find(requester);
        return endpoint == null || endpoint.ats().invalidate(pasid, iova, bytes, timeoutNanos);
    }

    @Override
    public void respond(int requester, int pasid, int group, int code) {
        Endpoint endpoint = fabric.requesters.find(requester);
        if (endpoint != null) {
            endpoint.ats().respond(group, code);
        }
    }

    /** Sets the IOMMU. */
    public void translation(DmaTranslation translation) {
        fabric.translation(translation);
    }

    /** The IOMMU leaves, if it is still the one; when it returns, no transaction uses it. */
    @SuppressWarnings("ReferenceEquality") // the service itself, whatever it is equal to
    public void translationGone(DmaTranslation translation) {
        if (fabric.translation() == translation) {
            fabric.translation(null);
        }
        fabric.drain();
    }

    /** Says who else is told of resets and departures. */
    public void addListener(FunctionListener listener) {
        fabric.listeners.add(listener);
    }

    /** A listener leaves; calls that are under way go on. */
    public void removeListener(FunctionListener listener) {
        fabric.listeners.remove(listener);
    }

    /** Says who is shown every request from now on. */
    public void observer(DmaObserver observer) {
        fabric.observer(observer);
    }

    /** The observer leaves, if it is still the one; calls that are under way go on. */
    @SuppressWarnings("ReferenceEquality") // the service itself, whatever it is equal to
    public void observerGone(DmaObserver observer) {
        if (fabric.observer() == observer) {
            fabric.observer(null);
        }
    }

    /** Adds a slot. A slot that cannot be is logged and left out. */
    public void addSlot(SlotConfig slot) {
        events.submit(() -> population.addSlot(slot));
    }

    /** Removes the slot, and in order what is in it. */
    public void removeSlot(SlotConfig slot) {
        waitFor("slot " + slot.name(), () -> population.removeSlot(slot));
    }

    /**
     * Adds a kind of device.
     *
     * @param name as slots ask for it
     * @param version of several that are there, the highest goes into an empty slot
     */
    public void addType(DeviceType type, String name, TypeVersion version) {
        events.submit(() -> population.addType(type, name, version));
    }

    /** Removes a kind of device, and by surprise each device of it. */
    public void removeType(DeviceType type) {
        waitFor("device type " + type, () -> population.removeType(type));
    }

    /**
     * Adds a driver.
     *
     * @param name for messages
     */
    public void addDriver(PcieDriver driver, String name) {
        events.submit(() -> population.drivers().add(driver, name));
    }

    /** Removes a driver; its functions stay, without it. */
    public void removeDriver(PcieDriver driver) {
        waitFor("driver " + driver, () -> population.drivers().remove(driver));
    }

    @Override
    public void close() {
        waitFor("the bus", population::clear);
        events.close();
        fabric.interrupts.close();
    }

    private void waitFor(String what, Runnable body) {
        EventQueue.Event event = events.submit(body);
        try {
            if (!events.await(event, LIMIT_NANOS) && !events.isCurrent()) {
                LOG.error(
                        "removal of {} takes more than {} s; the bus is at: {}",
                        what,
                        LIMIT_NANOS / 1_000_000_000L,
                        events.doing());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("interrupted while waiting for the removal of {}", what);
        }
    }
}
