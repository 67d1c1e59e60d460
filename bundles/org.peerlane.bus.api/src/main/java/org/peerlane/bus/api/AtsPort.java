package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What a function with the ATS capability may do besides DMA: ask for translations and keep them in
 * a TLB of its own, and with PRI ask for pages. Without the capability, or while software has not
 * enabled it, everything is refused.
 *
 * <p><b>Duty.</b> Whoever keeps a translation takes {@link AtsDevice#invalidate} seriously.
 *
 * <p><b>Threads.</b> Engine threads of the device. <b>Cost.</b> No allocation.
 */
@ProviderType
public interface AtsPort {
    /**
     * A translation request (AT=01b, IM-12).
     *
     * @param address IOVA
     * @param attributes only the PASID counts
     * @param write whether write permission is asked for
     * @param into the answer; {@link DmaTranslation.Target#bytes} 0: no access, not to be cached
     * @return {@link DmaResult#OK}, {@link DmaResult#UNSUPPORTED_REQUEST}, {@link
     *     DmaResult#BUS_MASTER_OFF}, {@link DmaResult#GONE}
     */
    int translate(long address, int attributes, boolean write, DmaTranslation.Target into);

    /** The completion of an invalidation: everything that used the translation has finished. */
    void invalidated(int tag);

    /**
     * A page request (IM-15).
     *
     * @param address IOVA, 4 KiB aligned
     * @param attributes only the PASID counts
     * @param flags {@link PageRequest#READ}, {@link PageRequest#WRITE}, {@link PageRequest#LAST}
     * @param group 9 bits, named again by the response
     * @return {@link DmaResult#OK} sent; {@link DmaResult#UNSUPPORTED_REQUEST} PRI is off, stopped,
     *     or as many are outstanding as software allows
     */
    int requestPage(long address, int attributes, int flags, int group);
}
