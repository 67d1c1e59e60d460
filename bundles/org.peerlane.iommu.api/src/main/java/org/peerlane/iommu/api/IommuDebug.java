package org.peerlane.iommu.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieAddress;

/**
 * What the IOMMU holds, for reports. Nothing here marks an entry, fills a TLB or records a fault.
 * Kernel counterpart: {@code drivers/iommu/intel/debugfs.c}.
 *
 * <p><b>Consistency.</b> Tables are read while others change them: each entry is as it was at some
 * moment of the call. <b>Threads.</b> Any.
 */
@ProviderType
public interface IommuDebug {
    /**
     * {@return all domains: those with a table, and of the others those with a function in them}
     */
    List<DomainInfo> domains();

    /**
     * {@return what the hardware would find for a request}
     *
     * @param pasid or {@link Iommu#NO_PASID}
     */
    TableWalk walk(PcieAddress requester, int pasid, long iova);

    /** {@return the translations that are kept for a requester, by domain and IOVA} */
    List<IotlbEntry> iotlb(PcieAddress requester);

    /** Forgets the fault records that have been logged, and how many were lost. */
    void clearFaults();
}
