package org.peerlane.bus.pcie;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
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
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracer;

/**
 * Puts a {@link PcieRoot} into the framework.
 *
 * <p><b>Life.</b> The references {@code port} and {@code hostbridge} are static: the tree is made
 * once all parts that the board names are there. Whoever writes the configuration says how many
 * those are, by {@code port.cardinality.minimum} and {@code hostbridge.cardinality.minimum}.
 */
@Component(
        service = {PcieBus.class, RootComplex.class},
        immediate = true,
        configurationPid = PcieBusComponent.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = PcieBusComponent.Config.class)
public final class PcieBusComponent implements PcieBus, RootComplex {
    static final String PID = "org.peerlane.bus.pcie";

    /** Keys of the PID. */
    @ObjectClassDefinition(name = "PCIe bus")
    public @interface Config {
        /** The board has an IOMMU. */
        @AttributeDefinition(
                description =
                        "the board has an IOMMU; while its service is away all DMA is blocked")
        boolean iommu() default false;

        /** Posted writes take time. */
        @AttributeDefinition(
                description =
                        "posted writes are queued path by path and arrive later, as on hardware;"
                                + " slower, and shows missing flushes between paths")
        boolean postedQueues() default false;

        /** Who is plugged in may move others. */
        @AttributeDefinition(
                description =
                        "a device that is plugged in may stop drivers of others for a moment, to"
                                + " move their BARs out of its way")
        boolean rebalance() default false;
    }

    private final PcieRoot root;

    /** Starts the bus without a device, with all ports that the board says. */
    @Activate
    public PcieBusComponent(
            @Reference Execution execution,
            @Reference Tracer tracer,
            @Reference PhysicalMemory memory,
            @Reference(name = "hostbridge") List<HostBridgeComponent> hosts,
            @Reference(name = "port") List<PortSource> ports,
            Config config) {
        root =
                new PcieRoot(
                        execution,
                        tracer,
                        memory,
                        hosts.isEmpty()
                                ? List.of(HostBridgeConfig.DEFAULT)
                                : hosts.stream().map(HostBridgeComponent::config).toList(),
                        ports.stream().map(PortSource::config).toList(),
                        config.iommu(),
                        config.postedQueues(),
                        config.rebalance());
    }

    @Deactivate
    void deactivate() {
        root.close();
    }

    @Override
    public List<PcieFunction> functions() {
        return root.functions();
    }

    @Override
    public boolean settle(long timeoutNanos) throws InterruptedException {
        return root.settle(timeoutNanos);
    }

    @Override
    public PeerRoute peerRoute(PcieFunction provider, PcieFunction client) {
        return root.peerRoute(provider, client);
    }

    @Override
    public List<PcieFunction> isolationGroup(PcieFunction function) {
        return root.isolationGroup(function);
    }

    @Override
    public PeerProvider peerProvider(PcieFunction function, int index) {
        return root.peerProvider(function, index);
    }

    @Override
    public @Nullable String driver(PcieFunction function) {
        return root.driver(function);
    }

    @Override
    public void overrideDriver(PcieFunction function, @Nullable String name) {
        root.overrideDriver(function, name);
    }

    @Override
    public void unbindDriver(PcieFunction function) {
        root.unbindDriver(function);
    }

    @Override
    public void bindDriver(PcieFunction function) {
        root.bindDriver(function);
    }

    @Override
    public void watchMemory(AddressRange<PhysicalAddress> range, MemoryWatcher watcher) {
        root.watchMemory(range, watcher);
    }

    @Override
    public void unwatchMemory(MemoryWatcher watcher) {
        root.unwatchMemory(watcher);
    }

    @Override
    public long load(long physical, int bytes) {
        return root.load(physical, bytes);
    }

    @Override
    public void store(long physical, int bytes, long value) {
        root.store(physical, bytes, value);
    }

    @Override
    public long in(long port, int bytes) {
        return root.in(port, bytes);
    }

    @Override
    public void out(long port, int bytes, long value) {
        root.out(port, bytes, value);
    }

    @Override
    public void eject(String slot) {
        root.eject(slot);
    }

    @Override
    public void pull(String slot) {
        root.pull(slot);
    }

    @Override
    public void plug(String slot) {
        root.plug(slot);
    }

    @Override
    public void drain(int requester) {
        root.drain(requester);
    }

    @Override
    public void drainAll() {
        root.drainAll();
    }

    @Override
    public boolean invalidate(int requester, int pasid, long iova, long bytes, long timeoutNanos) {
        return root.invalidate(requester, pasid, iova, bytes, timeoutNanos);
    }

    @Override
    public void respond(int requester, int pasid, int group, int code) {
        root.respond(requester, pasid, group, code);
    }

    @Reference(
            service = SlotComponent.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC)
    void addSlot(SlotComponent slot) {
        root.addSlot(slot.config());
    }

    void removeSlot(SlotComponent slot) {
        root.removeSlot(slot.config());
    }

    @Reference(
            service = DeviceType.class,
            target = "(" + DeviceType.NAME + "=*)",
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC)
    void addType(DeviceType type, ServiceReference<DeviceType> reference) {
        String name = Objects.requireNonNull(reference.getProperty(DeviceType.NAME)).toString();
        Version version = reference.getBundle().getVersion();
        root.addType(
                type,
                name,
                new TypeVersion(
                        version.getMajor(),
                        version.getMinor(),
                        version.getMicro(),
                        version.getQualifier()));
    }

    void removeType(DeviceType type) {
        root.removeType(type);
    }

    @Reference(
            service = PcieDriver.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC)
    void addDriver(PcieDriver driver, ServiceReference<PcieDriver> reference) {
        String name = driver.name();
        root.addDriver(driver, name.isEmpty() ? reference.getBundle().getSymbolicName() : name);
    }

    void removeDriver(PcieDriver driver) {
        root.removeDriver(driver);
    }

    @Reference(
            service = DmaTranslation.class,
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC)
    void setTranslation(DmaTranslation translation) {
        root.translation(translation);
    }

    void unsetTranslation(DmaTranslation translation) {
        root.translationGone(translation);
    }

    @Reference(
            service = FunctionListener.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC)
    void addListener(FunctionListener listener) {
        root.addListener(listener);
    }

    void removeListener(FunctionListener listener) {
        root.removeListener(listener);
    }

    @Reference(
            service = DmaObserver.class,
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC)
    void setObserver(DmaObserver observer) {
        root.observer(observer);
    }

    void unsetObserver(DmaObserver observer) {
        root.observerGone(observer);
    }
}
