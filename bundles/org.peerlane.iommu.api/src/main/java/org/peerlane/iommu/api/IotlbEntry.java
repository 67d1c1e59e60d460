package org.peerlane.iommu.api;

import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * A translation that the IOMMU keeps, for reports.
 *
 * @param domain its id
 * @param iova first address
 * @param physical where that goes
 * @param bytes how many
 * @param read whether a read may use it
 * @param write whether a write may use it without a walk
 */
public record IotlbEntry(
        int domain, Iova iova, PhysicalAddress physical, long bytes, boolean read, boolean write) {}
