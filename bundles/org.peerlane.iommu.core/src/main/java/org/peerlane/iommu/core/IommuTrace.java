package org.peerlane.iommu.core;

import org.peerlane.bus.api.PcieAddress;
import org.peerlane.trace.api.Tracepoint;
import org.peerlane.trace.api.Tracer;

/** The tracepoints of the IOMMU, asked for once. */
final class IommuTrace {
    final Tracepoint<IommuEvents.IommuFault> fault;
    final Tracepoint<IommuEvents.FaultsOverflowed> overflow;
    final Tracepoint<IommuEvents.StaleHit> staleHit;
    final Tracepoint<IommuEvents.DomainMap> map;
    final Tracepoint<IommuEvents.DomainUnmap> unmap;
    final Tracepoint<IommuEvents.DomainFlush> flush;
    final Tracepoint<IommuEvents.DomainAttach> attach;
    final Tracepoint<IommuEvents.AtsTimeout> atsTimeout;
    final Tracepoint<IommuEvents.PageResponse> pageResponse;
    final Tracepoint<IommuEvents.PageRequestLost> pageRequestLost;

    IommuTrace(Tracer tracer) {
        fault = tracer.point(IommuEvents.IommuFault.class);
        overflow = tracer.point(IommuEvents.FaultsOverflowed.class);
        staleHit = tracer.point(IommuEvents.StaleHit.class);
        map = tracer.point(IommuEvents.DomainMap.class);
        unmap = tracer.point(IommuEvents.DomainUnmap.class);
        flush = tracer.point(IommuEvents.DomainFlush.class);
        attach = tracer.point(IommuEvents.DomainAttach.class);
        atsTimeout = tracer.point(IommuEvents.AtsTimeout.class);
        pageResponse = tracer.point(IommuEvents.PageResponse.class);
        pageRequestLost = tracer.point(IommuEvents.PageRequestLost.class);
    }

    /**
     * {@return the address of a requester, as {@link org.peerlane.bus.api.RootComplex} packs it}
     */
    static PcieAddress address(int requester) {
        return new PcieAddress(
                requester >>> 16, requester >>> 8 & 0xFF, requester >>> 3 & 0x1F, requester & 7);
    }

    /** {@return a requester, packed} */
    static int requester(PcieAddress address) {
        return address.segment() << 16 | address.requesterId();
    }
}
