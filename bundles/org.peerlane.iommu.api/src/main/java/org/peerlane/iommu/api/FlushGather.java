package org.peerlane.iommu.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What several unmaps of one domain have taken out and nobody has flushed yet (PT-51). Kernel
 * counterpart: {@code struct iommu_iotlb_gather}.
 *
 * <p><b>Life.</b> Made by {@link IommuDomain#newGather}, emptied by {@link IommuDomain#sync}; may
 * be used again. One that is dropped unflushed loses the table pages in it.
 *
 * <p><b>Threads.</b> One at a time.
 */
@ProviderType
public interface FlushGather {
    /** {@return whether nothing waits for a flush} */
    boolean isEmpty();
}
