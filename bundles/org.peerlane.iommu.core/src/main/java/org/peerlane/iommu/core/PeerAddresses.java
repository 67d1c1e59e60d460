package org.peerlane.iommu.core;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/** Peer-to-peer mappings that no IOMMU sees. */
final class PeerAddresses {
    private PeerAddresses() {}

    /** {@return the addresses that the bus knows the runs by (P2-6)} */
    static SgTable onBus(PeerRoute route, List<AddressRange<PhysicalAddress>> runs) {
        SgBuilder.check(runs);
        SgBuilder entries = new SgBuilder();
        for (AddressRange<PhysicalAddress> run : runs) {
            entries.add(run.first().value() + route.busOffset(), run.bytes());
        }
        return entries.build(new AtomicBoolean(true));
    }

    static ErrnoException refused(PeerRoute route) {
        return new ErrnoException(Errno.EINVAL, "no peer-to-peer route: " + route.reason());
    }

    /** Nothing is mapped; only a second time is noticed. */
    static void takeBack(SgTable table) {
        if (!(table.origin() instanceof AtomicBoolean live)) {
            throw new IllegalStateException("a scatter list of another function");
        }
        if (!live.getAndSet(false)) {
            throw new IllegalStateException("a scatter list that was unmapped before");
        }
    }
}
