package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Makes the address spaces of processes, and what can be mapped into them.
 *
 * <p><b>Locks</b>, from outside in: the mmap lock of an address space ({@code memory.mmap}: faults
 * and pins read, changes of mappings write); the exporter's own lock, taken in its {@link
 * MappingOperations}; the object's lock ({@code memory.object}); the page table's ({@code
 * memory.pagetable}); the allocator's. So an exporter may {@linkplain Mappable#unmapRange zap} with
 * its own lock held, but may not map, unmap or access user memory with it.
 *
 * <p><b>Threads.</b> Any.
 */
@ProviderType
public interface AddressSpaces {
    /**
     * Makes an empty address space.
     *
     * @param name of its process, for messages
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM} no page for its page table
     */
    AddressSpace create(String name);

    /**
     * Makes an object that can be mapped.
     *
     * @param name for messages
     * @param kind what its mappings are made of
     * @param operations what its exporter does
     */
    Mappable object(String name, MappableKind kind, MappingOperations operations);

    /**
     * Makes an empty memfd: {@code memfd_create()}.
     *
     * @param name for messages
     * @param sealable {@code MFD_ALLOW_SEALING}; else it has {@link Memfd#F_SEAL_SEAL}
     * @return one reference, the caller's
     */
    Memfd memfd(String name, boolean sealable);

    /**
     * Says what answers at physical addresses that are no RAM and behave like memory.
     *
     * @param name for messages
     * @param segment its bytes, as long as the range; may be closed once the answer is closed
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the segment has another length;
     *     {@code EBUSY} part of the range is taken
     */
    DeviceMemory provide(String name, AddressRange<PhysicalAddress> range, MemorySegment segment);

    /**
     * Says what answers at physical addresses that behave like registers: there are no windows onto
     * them.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} part of the range is taken
     */
    DeviceMemory provide(
            String name, AddressRange<PhysicalAddress> range, RegisterAccess registers);

    /** {@return the reference counts of RAM pages that processes map} */
    PageReferences pages();
}
