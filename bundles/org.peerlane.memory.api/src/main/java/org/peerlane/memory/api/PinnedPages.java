package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Pages of a process that stay where they are, whatever the process does. Kernel counterpart: what
 * {@code pin_user_pages()} fills.
 *
 * <p><b>Life.</b> Until {@link #unpin}; the address space may go before. <b>Threads.</b> Any.
 */
@ProviderType
public interface PinnedPages {
    /** {@return how many} */
    int count();

    /** {@return the physical address of a page} */
    long physical(int index);

    /** {@return how many pages from this one on, it included, are physically contiguous} */
    int contiguous(int index);

    /**
     * Lets them go.
     *
     * @param dirty whether a device may have written to them. Kernel counterpart: {@code
     *     unpin_user_pages_dirty_lock()}
     * @throws IllegalStateException for the second time
     */
    void unpin(boolean dirty);
}
