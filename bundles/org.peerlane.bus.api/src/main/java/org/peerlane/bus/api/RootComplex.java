package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What the IOMMU asks of the root complex that it sits in. Registered as a service by the bus;
 * drivers have no use for it. Its property {@link #IOMMU} says whether the board declares an IOMMU.
 *
 * <p><b>Requester.</b> Everywhere here and in {@link DmaTranslation}: segment in the bits from 16
 * on, requester id in the low 16.
 *
 * <p><b>Threads.</b> Any but one that is inside a transaction: those assert.
 */
@ProviderType
public interface RootComplex {
    /** Service property, a Boolean: whether the board declares an IOMMU. */
    String IOMMU = "iommu";

    /**
     * Waits until every transaction of one requester that began before has finished: after it, no
     * translation that was answered earlier is in use (IM-4, PT-51). Transactions that begin
     * meanwhile are not waited for. Direct peer traffic is not translated and not covered.
     */
    void drain(int requester);

    /** The same for every requester. */
    void drainAll();

    /**
     * Sends an invalidation to the device TLB of a function and waits for its completion (IM-14):
     * the device has let go of the translation, and its writes that used it have been pushed.
     *
     * @param pasid -1: none
     * @param iova where from; 4 KiB aligned
     * @param bytes how many, to be rounded up to a power of two as the message can say it; all-ones
     *     for everything
     * @param timeoutNanos how long to wait
     * @return whether the completion came, or the function is not there any more; false: time-out
     */
    boolean invalidate(int requester, int pasid, long iova, long bytes, long timeoutNanos);

    /**
     * Sends the response to a page request group (IM-15, PT-62).
     *
     * @param code one of {@link PageRequest#SUCCESS}, {@link PageRequest#INVALID}, {@link
     *     PageRequest#FAILURE}
     */
    void respond(int requester, int pasid, int group, int code);
}
