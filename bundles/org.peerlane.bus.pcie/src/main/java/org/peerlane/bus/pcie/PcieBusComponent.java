package org.peerlane.bus.pcie;

import java.util.List;
import java.util.Objects;
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
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.exec.api.Execution;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracer;

/** Puts a {@link PcieRoot} into the framework. */
@Component(
        service = PcieBus.class,
        immediate = true,
        configurationPid = PcieBusComponent.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = PcieBusComponent.Config.class)
public final class PcieBusComponent implements PcieBus {
    static final String PID = "org.peerlane.bus.pcie";

    /** Keys of the PID. */
    @ObjectClassDefinition(name = "PCIe bus")
    public @interface Config {
        /** The board has an IOMMU. */
        @AttributeDefinition(
                description =
                        "the board has an IOMMU; while its service is away all DMA is blocked")
        boolean iommu() default false;
    }

    private final PcieRoot root;

    /** Starts the bus without a device. */
    @Activate
    public PcieBusComponent(
            @Reference Execution execution,
            @Reference Tracer tracer,
            @Reference PhysicalMemory memory,
            Config config) {
        root = new PcieRoot(execution, tracer, memory, config.iommu());
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
        root.addDriver(driver, reference.getBundle().getSymbolicName());
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
}
