package org.peerlane.iommu.core;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.bus.api.RootComplex;
import org.peerlane.iommu.api.DmaApi;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The DMA API of a board without an IOMMU: addresses are physical. It is there once a root complex
 * says that the board has none, so that it never stands in for an IOMMU that comes late.
 */
@Component(
        service = DmaApi.class,
        reference =
                @Reference(
                        name = "root",
                        service = RootComplex.class,
                        target = "(" + RootComplex.IOMMU + "=false)"))
public final class DirectDmaApi implements DmaApi {
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
