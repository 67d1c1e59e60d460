package org.peerlane.iommu.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieAddress;

/**
 * Gives drivers the addresses that their device puts on the bus. There is one on every board, with
 * an IOMMU or without. <b>Threads.</b> Any.
 */
@ProviderType
public interface DmaApi {
    /**
     * {@return a function's DMA addresses; the same object at each call} The first call puts the
     * function into its default domain if it is in none.
     */
    DmaDevice device(PcieAddress function);
}
