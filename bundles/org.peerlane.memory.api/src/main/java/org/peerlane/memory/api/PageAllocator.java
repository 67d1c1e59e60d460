package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Hands out runs of 2^order physically contiguous pages, aligned to their size. Kernel counterpart:
 * the buddy allocator behind {@code alloc_pages()}.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface PageAllocator {
    /** The largest order: 2^10 pages, 4 MiB. */
    int MAX_ORDER = 10;

    /**
     * Takes pages. Their content is whatever was there.
     *
     * @param order 0 to {@link #MAX_ORDER}
     * @return the physical address of the first
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no such order; {@code ENOMEM}
     *     no run of that order is free, or the backing has no room, or a failure was injected
     */
    long allocate(int order);

    /**
     * Takes a run that may be longer than the largest order, for who sets memory aside for good.
     * Injected failures are not for it. Kernel counterpart: {@code alloc_contig_pages()}.
     *
     * @param pages a multiple of 2^{@link #MAX_ORDER}, at least one
     * @return the physical address of the first, aligned to 2^{@link #MAX_ORDER} pages; every such
     *     many are given back on their own, as of that order
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} another number; {@code ENOMEM}
     *     no such run is free, or the backing has no room
     */
    long allocateRange(long pages);

    /**
     * Gives pages back.
     *
     * @param physical what {@link #allocate} answered
     * @param order what it was asked for
     * @throws IllegalStateException they are not taken with that order
     */
    void free(long physical, int order);

    /** {@return how many free runs of exactly this order there are} */
    long freeRuns(int order);

    /** {@return how many pages are free in all} */
    long freePages();

    /** {@return how many pages there are in all} */
    long totalPages();

    /**
     * Makes allocations fail, for tests: the {@code nth} from now, counted from 1, answers ENOMEM,
     * once. 0 takes a pending failure back.
     */
    void failNth(long nth);

    /**
     * Makes allocations of one order fail, for tests: the next {@code count} of exactly this order
     * answer ENOMEM, others are as before. 0 takes pending failures back.
     */
    void failNext(int order, long count);
}
