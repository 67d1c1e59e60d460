package org.peerlane.iommu.core;

import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.Iommu;

/** What software keeps of one requester. Guarded by the lock of {@link Contexts} but for finals. */
final class Requester {
    final int id;
    final PcieAddress address;
    final Iotlb iotlb;

    /** Read by flushes without the lock; set before the context that allows it is published. */
    volatile boolean ats;

    boolean pri;
    boolean pasid;

    /** Read by the DMA API without the lock. */
    volatile @Nullable Domain untagged;

    final SortedMap<Integer, Domain> tagged = new TreeMap<>();
    @Nullable Domain defaultDomain;
    @Nullable DmaDevice dma;

    Requester(PcieAddress address, Execution execution) {
        iotlb = new Iotlb(execution);
        this.address = address;
        id = IommuTrace.requester(address);
    }

    @Nullable Domain domain(int number) {
        return number == Iommu.NO_PASID ? untagged : tagged.get(number);
    }

    void domain(int number, @Nullable Domain domain) {
        if (number == Iommu.NO_PASID) {
            untagged = domain;
        } else if (domain == null) {
            tagged.remove(number);
        } else {
            tagged.put(number, domain);
        }
    }

    /** {@return what the hardware is to know, or null: nothing} */
    @Nullable Context context() {
        return untagged == null && tagged.isEmpty()
                ? null
                : new Context(this, untagged, tagged, ats, pri, pasid);
    }
}
