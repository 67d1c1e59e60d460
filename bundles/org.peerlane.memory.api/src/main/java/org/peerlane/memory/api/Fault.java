package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A page fault in progress. Kernel counterpart: {@code struct vm_fault}.
 *
 * <p><b>Life.</b> For the call it was given to. <b>Threads.</b> That call's.
 */
@ProviderType
public interface Fault {
    /** Bytes that a handler may fill around a read fault, as the kernel does by default. */
    long AROUND_BYTES = 64 << 10;

    /** {@return the mapping that was touched} */
    CpuMapping mapping();

    /** {@return the page that was touched, its virtual address} */
    long address();

    /** {@return the page's offset in the object} */
    long offset();

    /** {@return whether it was a store} */
    boolean isWrite();

    /** {@return the first virtual address of the 64 KiB around, cut at the mapping's ends} */
    long aroundFirst();

    /** {@return the bytes from {@link #aroundFirst} on that may be filled} */
    long aroundBytes();

    /**
     * Puts physically contiguous memory into the page table: {@link CpuMapping#insert} for one that
     * need not be aligned to a large page; where it is, at both ends, entries of 2 MiB and 1 GiB
     * are used, if the object's kind is {@link MappableKind#FRAMES}.
     *
     * @param address in the mapping, a multiple of the page size
     * @param physical of the first byte, a multiple of the page size
     * @param bytes a multiple of the page size
     * @param writable false has the first store fault; a mapping that forbids stores overrules
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not aligned, outside the
     *     mapping, or nobody answers at the physical address; {@code ENODEV} the object has
     *     retired; {@code ENOMEM} no page for the page table
     * @throws IllegalStateException another page is there, or {@link #release} came before
     */
    void insert(long address, long physical, long bytes, boolean writable);

    /**
     * Lets go of the mmap lock, so that the handler can wait without anybody waiting for it. It
     * must answer {@link FaultResult#RETRY} then and use neither fault nor mapping any more.
     */
    void release();
}
