package org.peerlane.iommu.api;

import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Iova;

/**
 * IOVAs that a function must not be given. Kernel counterpart: {@code struct iommu_resv_region}.
 *
 * @param range which
 * @param kind why
 */
public record ReservedRange(AddressRange<Iova> range, Kind kind) {
    /** Why a range is reserved. */
    public enum Kind {
        /** Firmware uses the memory at the same address: must stay mapped one to one. */
        DIRECT,
        /** The same, but may be given up once a driver has the device. */
        DIRECT_RELAXABLE,
        /** Not usable. */
        RESERVED,
        /** Writes there are interrupts (IM-9). */
        MSI,
        /** Set aside by software to map interrupt doorbells. */
        SW_MSI
    }
}
