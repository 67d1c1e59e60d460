package org.peerlane.bus.pcie;

import java.util.Objects;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.PcieAddress;

/**
 * In whose name requests are sent: a function and its requester id, and what the IOMMU answers to
 * that name.
 *
 * <p><b>Errors.</b> An IOMMU that throws is logged, and has answered unsupported request.
 * <b>Threads.</b> Any.
 */
final class Sender {
    private static final Logger LOG = LogManager.getLogger(Sender.class);

    /** Set before the first request. */
    private volatile @Nullable Endpoint function;

    /** Segment and requester id. */
    private volatile int requester;

    void function(Endpoint endpoint) {
        function = endpoint;
    }

    Endpoint function() {
        return Objects.requireNonNull(function);
    }

    void requester(int now) {
        requester = now;
    }

    int requester() {
        return requester;
    }

    PcieAddress address() {
        return function().address();
    }

    /** {@return the IOMMU's answer to a request} */
    int translate(
            DmaTranslation iommu,
            int attributes,
            long from,
            boolean write,
            DmaTranslation.Target into) {
        into.number = DmaTranslation.Target.NOT_KEPT;
        try {
            return iommu.translate(requester, attributes, from, write, into);
        } catch (RuntimeException e) {
            return threw("translation", from, e);
        }
    }

    /** {@return the IOMMU's answer to a translation request of the function's TLB} */
    int translationRequest(
            DmaTranslation iommu,
            int attributes,
            long address,
            int permissions,
            DmaTranslation.Target into) {
        try {
            return iommu.translationRequest(requester, attributes, address, permissions, into);
        } catch (RuntimeException e) {
            return threw("translation request", address, e);
        }
    }

    /** Gives a page request to the IOMMU, which only queues it. */
    void pageRequest(DmaTranslation iommu, int attributes, long address, int flags, int group) {
        try {
            iommu.pageRequest(requester, attributes, address, flags, group);
        } catch (RuntimeException e) {
            int _ = threw("page request", address, e);
        }
    }

    private int threw(String what, long address, RuntimeException e) {
        LOG.error("{}: {} of 0x{} failed", address(), what, Long.toHexString(address), e);
        return DmaResult.UNSUPPORTED_REQUEST;
    }
}
