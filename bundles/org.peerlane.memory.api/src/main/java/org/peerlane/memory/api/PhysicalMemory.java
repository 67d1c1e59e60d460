package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The RAM of the machine: sparse regions in the physical address space. BARs are not here; the bus
 * knows them.
 *
 * <p><b>Threads.</b> Any. Two that touch the same bytes at once see what two CPUs would.
 */
@ProviderType
public interface PhysicalMemory {
    /** Bytes of a page. */
    long PAGE_BYTES = 4096;

    /** {@return the regions by rising address; an immutable snapshot} */
    List<MemoryRegion> regions();

    /** {@return the region that holds a physical address, or null: no RAM there} */
    @Nullable MemoryRegion find(long physical);

    /** {@return who hands out the pages of this memory} */
    PageAllocator pages();

    /**
     * Copies out of memory, for software that plays the CPU.
     *
     * @param physical from here
     * @param target to here
     * @param offset in the target
     * @param bytes how many
     * @throws org.peerlane.kernel.api.ErrnoException {@code EFAULT} part of it is not RAM; nothing
     *     was copied
     */
    void read(long physical, MemorySegment target, long offset, long bytes);

    /**
     * Copies into memory, for software that plays the CPU.
     *
     * @param physical to here
     * @param source from here
     * @param offset in the source
     * @param bytes how many
     * @throws org.peerlane.kernel.api.ErrnoException {@code EFAULT} part of it is not RAM; nothing
     *     was copied
     */
    void write(long physical, MemorySegment source, long offset, long bytes);
}
