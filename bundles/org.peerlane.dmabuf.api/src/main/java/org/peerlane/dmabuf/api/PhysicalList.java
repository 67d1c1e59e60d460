package org.peerlane.dmabuf.api;

import java.util.List;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Where a buffer is, as the CPU addresses it; for owners of IOMMU domains, who map it themselves.
 * On a bus it means nothing.
 *
 * @param ranges in the order of the buffer's bytes
 * @param isMmio whether they are a device's BAR
 */
public record PhysicalList(List<AddressRange<PhysicalAddress>> ranges, boolean isMmio) {
    /** Keeps a copy. */
    public PhysicalList {
        ranges = List.copyOf(ranges);
    }
}
