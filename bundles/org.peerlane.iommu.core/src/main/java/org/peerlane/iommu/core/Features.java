package org.peerlane.iommu.core;

import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * ATS, PRI and PASID: the capability of the function and the context here, switched in the order
 * that leaves neither on alone. Kernel counterpart: drivers/pci/ats.c.
 *
 * <p><b>Threads.</b> Any; guarded by the lock of {@link Contexts}.
 */
final class Features {
    private static final int FIRST_EXTENDED = 0x100;
    private static final int ATS = 0x000F;
    private static final int ATS_CONTROL = 6;
    private static final long ATS_ENABLE = 1 << 15;
    private static final int PRI = 0x0013;
    private static final int PRI_CONTROL = 4;
    private static final int PRI_ALLOCATION = 12;
    private static final int PASID = 0x001B;
    private static final int PASID_CONTROL = 6;

    private final Contexts contexts;
    private final Flusher flusher;
    private final PageRequests pageRequests;

    Features(Contexts contexts, Flusher flusher, PageRequests pageRequests) {
        this.contexts = contexts;
        this.flusher = flusher;
        this.pageRequests = pageRequests;
    }

    void pasid(PcieFunction function, boolean on) {
        contexts.lock().lock();
        try {
            Requester requester = contexts.requester(function.address());
            if (requester.pasid == on) {
                return;
            }
            int at = find(function, PASID, "PASID");
            if (requester.ats) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "PASID of " + function.address() + " cannot change while ATS is on");
            }
            if (!requester.tagged.isEmpty()) {
                throw new ErrnoException(
                        Errno.EBUSY,
                        "PASID %d of %s is attached"
                                .formatted(requester.tagged.firstKey(), function.address()));
            }
            requester.pasid = on;
            contexts.publish(requester);
            function.writeConfig(at + PASID_CONTROL, 2, on ? 1 : 0);
            if (!on) {
                flusher.drain(requester);
            }
        } finally {
            contexts.lock().unlock();
        }
    }

    void ats(PcieFunction function, boolean on) {
        contexts.lock().lock();
        try {
            Requester requester = contexts.requester(function.address());
            if (requester.ats == on) {
                return;
            }
            int at = find(function, ATS, "ATS");
            if (on) {
                requester.ats = true; // flushes include it before it can have anything
                contexts.publish(requester);
                function.writeConfig(at + ATS_CONTROL, 2, ATS_ENABLE);
            } else {
                if (requester.pri) {
                    throw new ErrnoException(
                            Errno.EBUSY,
                            "ATS of " + function.address() + " cannot go off while PRI is on");
                }
                stopAts(requester, function, at);
            }
        } finally {
            contexts.lock().unlock();
        }
    }

    /** No more translation requests, the device TLB emptied, then no more translated requests. */
    private void stopAts(Requester requester, PcieFunction function, int at) {
        function.writeConfig(at + ATS_CONTROL, 2, 0);
        flusher.switched(requester, -1);
        requester.tagged.keySet().forEach(pasid -> flusher.switched(requester, pasid));
        requester.ats = false;
        contexts.publish(requester);
        flusher.drain(requester);
    }

    void pri(PcieFunction function, int outstanding) {
        contexts.lock().lock();
        try {
            Requester requester = contexts.requester(function.address());
            int at = find(function, PRI, "PRI");
            if (outstanding > 0 && !requester.ats) {
                throw new ErrnoException(
                        Errno.EINVAL,
                        "PRI of " + function.address() + " needs ATS; enable that first");
            }
            if (outstanding > 0) {
                requester.pri = true;
                contexts.publish(requester);
                function.writeConfig(at + PRI_ALLOCATION, 4, outstanding);
                function.writeConfig(at + PRI_CONTROL, 2, 1);
            } else if (requester.pri) {
                function.writeConfig(at + PRI_CONTROL, 2, 0);
                requester.pri = false;
                contexts.publish(requester);
                pageRequests.discard(requester, -1);
                requester.tagged.keySet().forEach(p -> pageRequests.discard(requester, p));
            }
        } finally {
            contexts.lock().unlock();
        }
    }

    private static int find(PcieFunction function, int id, String name) {
        int at = FIRST_EXTENDED;
        for (int hops = 0; hops < 64 && at >= FIRST_EXTENDED; hops++) {
            long header = function.readConfig(at, 4);
            if (header == 0 || header == 0xFFFF_FFFFL) {
                break;
            }
            if ((header & 0xFFFF) == id) {
                return at;
            }
            at = (int) (header >>> 20) & 0xFFC;
        }
        throw new ErrnoException(
                Errno.EINVAL, function.address() + " has no " + name + " capability");
    }
}
