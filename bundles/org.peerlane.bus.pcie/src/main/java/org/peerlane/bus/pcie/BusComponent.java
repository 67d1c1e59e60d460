package org.peerlane.bus.pcie;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.trace.api.Tracer;

/** The bus as a service: hands what the framework says to the {@link LifeCycle}. */
@Component(
        immediate = true,
        service = PcieBus.class,
        configurationPid = "org.peerlane.bus.pcie",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = BusComponent.Config.class)
public final class BusComponent implements PcieBus {
    /** What a board file may say. */
    @ObjectClassDefinition(name = "PCIe bus")
    public @interface Config {
        /**
         * {@return whether the machine has an IOMMU; without its plugin all DMA is then blocked}
         */
        @AttributeDefinition(description = "the machine has an IOMMU")
        boolean iommu() default false;
    }

    private final PcieRoot root;
    private final LifeCycle lifeCycle;

    /** For the framework. */
    @Activate
    public BusComponent(
            @Reference Execution execution,
            @Reference Tracer tracer,
            @Reference PhysicalMemory memory,
            Config config) {
        root = new PcieRoot(execution, tracer, memory, config.iommu());
        lifeCycle = new LifeCycle(root, execution, tracer);
    }

    @Deactivate
    void close() {
        lifeCycle.close();
        root.close();
    }

    @Override
    public List<PcieFunction> functions() {
        return root.functions();
    }

    @Override
    public boolean settle(long timeoutNanos) throws InterruptedException {
        return lifeCycle.settle(timeoutNanos);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void setTranslation(DmaTranslation translation) {
        root.translation(translation);
    }

    void unsetTranslation(@Nullable DmaTranslation translation) {
        root.translation(null);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addType(ServiceReference<DeviceType> reference, DeviceType type) {
        lifeCycle.addType(
                String.valueOf(reference.getProperty(DeviceType.NAME)),
                reference.getBundle().getVersion(),
                type);
    }

    void removeType(DeviceType type) {
        lifeCycle.removeType(type);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addDriver(PcieDriver driver) {
        lifeCycle.addDriver(driver);
    }

    void removeDriver(PcieDriver driver) {
        lifeCycle.removeDriver(driver);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addSlot(SlotComponent slot) {
        lifeCycle.addSlot(slot.name(), slot.address(), slot.device(), Map.copyOf(slot.options()));
    }

    void removeSlot(SlotComponent slot) {
        lifeCycle.removeSlot(slot.name());
    }
}
