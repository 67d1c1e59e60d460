package org.peerlane.iommu.api;

import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Memory that the CPU and one function share, from {@link DmaDevice#allocateCoherent}.
 *
 * @param physical as the CPU addresses it
 * @param dmaAddress as the function addresses it
 * @param bytes what was asked for
 * @param order 2^order pages were taken
 */
public record CoherentBuffer(PhysicalAddress physical, long dmaAddress, long bytes, int order) {}
