package org.peerlane.iommu.core;

import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.trace.api.TraceEvent;

/** What the IOMMU reports. */
public final class IommuEvents {
    private IommuEvents() {}

    /** A request was blocked (IM-5). */
    public record IommuFault(
            PcieAddress requester, int pasid, long address, boolean write, FaultReason reason)
            implements TraceEvent {}

    /** Fault slots were full: this and further faults are dropped until they are read (IM-7). */
    public record FaultsOverflowed(PcieAddress requester) implements TraceEvent {}

    /**
     * A request went by an IOTLB entry that the page table does not have any more: somebody
     * unmapped and has not flushed yet (IM-4). Only looked for while somebody listens.
     */
    public record StaleHit(PcieAddress requester, long iova, long physical, boolean write)
            implements TraceEvent {}

    /** A range was mapped. */
    public record DomainMap(int domain, long iova, long physical, long bytes, int protection)
            implements TraceEvent {}

    /** A range was unmapped; not flushed yet. */
    public record DomainUnmap(int domain, long iova, long bytes) implements TraceEvent {}

    /** A range was flushed from all IOTLBs and device TLBs (PT-51). */
    public record DomainFlush(int domain, long first, long last) implements TraceEvent {}

    /** A function came into a domain. */
    public record DomainAttach(PcieAddress requester, int pasid, int domain, DomainKind kind)
            implements TraceEvent {}

    /** A device TLB did not answer an invalidation in time (IM-14). */
    public record AtsTimeout(PcieAddress requester, int pasid, long iova, long bytes)
            implements TraceEvent {}

    /** A page request group was answered (PT-62). */
    public record PageResponse(PcieAddress requester, int pasid, int group, int code)
            implements TraceEvent {}

    /** A page request came while the queue was full; its group is to be asked for again. */
    public record PageRequestLost(PcieAddress requester, long iova) implements TraceEvent {}
}
