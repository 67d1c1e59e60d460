package org.peerlane.dmabuf.api;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.iommu.api.DmaDevice;

/**
 * The device that an importer attaches. Kernel counterpart: {@code struct device}.
 *
 * @param name for reports
 * @param function the function, or null for a pseudo device: it has no route to anybody (PP-1)
 * @param dma where its addresses come from, or null: then only physical ranges can be mapped
 */
public record ImporterDevice(
        String name, @Nullable PcieFunction function, @Nullable DmaDevice dma) {
    /** A function of the bus, under the name of its slot. */
    public static ImporterDevice of(PcieFunction function, DmaDevice dma) {
        return new ImporterDevice(function.slot(), function, dma);
    }
}
