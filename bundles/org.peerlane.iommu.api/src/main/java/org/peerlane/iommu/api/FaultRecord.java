package org.peerlane.iommu.api;

import org.peerlane.bus.api.PcieAddress;
import org.peerlane.kernel.api.Iova;

/**
 * A request that was blocked (IM-5).
 *
 * @param requester whose it was
 * @param pasid its PASID, or -1
 * @param address its page; of an interrupt, the address of the message
 * @param write whether memory would have been written
 * @param reason why
 */
public record FaultRecord(
        PcieAddress requester, int pasid, Iova address, boolean write, FaultReason reason) {}
