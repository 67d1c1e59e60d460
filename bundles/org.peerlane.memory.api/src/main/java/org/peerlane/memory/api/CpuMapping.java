package org.peerlane.memory.api;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A run of virtual addresses that one process has mapped. It outlives zaps. Kernel counterpart:
 * {@code struct vm_area_struct}.
 *
 * <p><b>Life.</b> Until all of it is unmapped. An unmap or a change of protection of a part splits
 * it: this one keeps the lowest part that is left, the others are new mappings. Adjacent ones are
 * never merged.
 *
 * <p><b>Threads.</b> Any. Bounds and protection change under the mmap lock (write); who reads them
 * without it may see old ones.
 */
@ProviderType
public interface CpuMapping {
    /** {@return whose it is} */
    AddressSpace space();

    /** {@return the first virtual address} */
    long first();

    /** {@return the length; 0 if all is unmapped} */
    long bytes();

    /** {@return whether any of it is left} */
    boolean isAlive();

    /** {@return a sum of {@link AddressSpace#PROT_READ} and the like} */
    int protection();

    /** {@return whether stores are everybody's; else {@code MAP_PRIVATE}} */
    boolean isShared();

    /** {@return what is mapped; null for anonymous memory} */
    @Nullable Mappable object();

    /** {@return the offset of {@link #first} in the object; 0 for anonymous memory} */
    long offset();

    /** {@return what the exporter has put here; a part that is split off starts with the same} */
    @Nullable Object privateData();

    /** [held: mmap lock, write, or own fault] Keeps something of the exporter's. */
    void privateData(@Nullable Object data);

    /** [in {@link MappingOperations#mapped}] Stores are never allowed: {@code VM_MAYWRITE} off. */
    void forbidWrite();

    /**
     * [held: mmap lock: in {@link MappingOperations#mapped}] Puts physically contiguous memory into
     * the page table, one entry of 4 KiB per page, in one go. Kernel counterpart: {@code
     * remap_pfn_range()}, {@code vm_insert_pages()}.
     *
     * @param address in the mapping, a multiple of the page size
     * @param physical of the first byte, a multiple of the page size
     * @param bytes a multiple of the page size
     * @throws org.peerlane.kernel.api.ErrnoException as for {@link Fault#insert}
     * @throws IllegalStateException another page is there, or the mmap lock is not held
     */
    void insert(long address, long physical, long bytes);

    /**
     * [free: mmap lock] Takes a part out of the page table; for the rest as {@link
     * Mappable#unmapRange}. Anonymous pages go, and come back as zeros. Kernel counterpart: {@code
     * zap_vma_ptes()}, {@code MADV_DONTNEED}.
     *
     * @param address the first, a multiple of the page size
     * @param bytes a multiple of the page size; what lies outside the mapping is left alone
     */
    void zap(long address, long bytes);

    /**
     * Opens a window: a view of the longest physically contiguous run from the page at {@code
     * address} on. Faults what is not there, at {@code address} only.
     *
     * @param write whether it is for stores; else the view is read-only
     * @throws CpuSignal what a touch would be answered with; registers have no windows: a {@link
     *     BusError}
     */
    Window window(long address, boolean write);
}
