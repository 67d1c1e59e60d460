package org.peerlane.iommu.api;

import org.osgi.annotation.versioning.ConsumerType;

/** Told of faults in a domain. */
@ConsumerType
@FunctionalInterface
public interface FaultListener {
    /**
     * A request in the domain was blocked. Of many at once some may have been dropped (IM-7).
     *
     * <p><b>Threads.</b> The IOMMU's own, some time after the fault; what is thrown is logged.
     */
    void fault(FaultRecord fault);
}
