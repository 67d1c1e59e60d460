package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * How often each RAM page is held: by its owner, by page table entries, by pins. The last to let go
 * gives it back to the {@link PageAllocator}. Kernel counterpart: {@code _refcount} of {@code
 * struct page}.
 *
 * <p><b>Threads.</b> Any, without a lock. Two threads that allocate never get the same page.
 */
@ProviderType
public interface PageReferences {
    /**
     * Takes a page of zeros, held once.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM} there is none
     */
    long allocate();

    /**
     * Holds a page once more.
     *
     * @throws IllegalStateException nobody holds it
     */
    void get(long physical);

    /**
     * Lets go once.
     *
     * @throws IllegalStateException nobody holds it
     */
    void put(long physical);

    /** {@return how often it is held, a pin counting once} */
    int count(long physical);

    /** {@return how often it is pinned} */
    int pins(long physical);

    /** {@return whether somebody has stored to it, as far as entries that went and pins told} */
    boolean isDirty(long physical);
}
