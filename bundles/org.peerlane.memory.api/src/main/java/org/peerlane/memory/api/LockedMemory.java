package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The count of pages that a process keeps pinned, and its limit. Kernel counterpart: {@code
 * mm->pinned_vm} against {@code RLIMIT_MEMLOCK}.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface LockedMemory {
    /** {@return pages charged now} */
    long pages();

    /** {@return the limit in bytes; {@link Long#MAX_VALUE}: none, as at the start} */
    long limitBytes();

    /** Sets the limit. What is charged already stays, even past it. */
    void limitBytes(long bytes);

    /**
     * Charges pages.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM} past the limit; nothing is
     *     charged
     */
    void charge(long pages);

    /**
     * Takes a charge back.
     *
     * @throws IllegalStateException more than was charged
     */
    void uncharge(long pages);
}
