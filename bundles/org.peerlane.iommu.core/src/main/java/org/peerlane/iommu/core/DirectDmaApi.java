package org.peerlane.iommu.core;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.memory.api.PhysicalMemory;

/** The DMA API of a board without an IOMMU: addresses are physical. */
@Component(
        configurationPid = DirectDmaApi.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE,
        service = DmaApi.class)
@Designate(ocd = DirectDmaApi.Config.class)
public final class DirectDmaApi implements DmaApi {
    static final String PID = "org.peerlane.iommu.core.direct";

    /** That the PID is there is all it says. */
    @ObjectClassDefinition(
            name = "DMA without an IOMMU",
            description = "for boards that have no IOMMU; DMA addresses are physical")
    public @interface Config {}

    private final PhysicalMemory memory;
    private final Map<PcieAddress, DmaDevice> devices = new ConcurrentHashMap<>();

    /** Starts without a device. */
    @Activate
    public DirectDmaApi(@Reference PhysicalMemory memory) {
        this.memory = memory;
    }

    @Override
    public DmaDevice device(PcieAddress function) {
        return devices.computeIfAbsent(function, _ -> new DirectDevice(memory));
    }
}
