package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The memory of a process: its mappings and the page table that a CPU walks. Kernel counterpart:
 * {@code struct mm_struct}.
 *
 * <p><b>Life.</b> Until {@link #close}; from then on every touch is a {@link SegmentationFault}.
 *
 * <p><b>Access.</b> Two families. Loads and stores of the process itself ({@link #load}, {@link
 * #store}, {@link #read}, {@link #write}, {@link #copy}) end in a {@link CpuSignal}. Copies that
 * the kernel makes for a call ({@link #copyFromUser}, {@link #copyToUser}) answer EFAULT. Both walk
 * the page table without a lock and fault what is missing; bytes before the one that could not be
 * touched are done. What a zap has taken out, no access reaches once the zap has returned.
 *
 * <p><b>Units.</b> Addresses are virtual, lengths bytes, values little-endian. <b>Threads.</b> Any;
 * not from {@link MappingOperations}.
 */
@ProviderType
public interface AddressSpace extends AutoCloseable {
    /** Loads are allowed. */
    int PROT_READ = 1;

    /** Stores are allowed, and so are loads. */
    int PROT_WRITE = 2;

    /** Execution is allowed; kept, and else without effect. */
    int PROT_EXEC = 4;

    /** Stores are everybody's. */
    int MAP_SHARED = 0x01;

    /**
     * Stores are the process's own: the first one to a page of an object copies it. A zap takes
     * such copies, too.
     */
    int MAP_PRIVATE = 0x02;

    /** At this very address, in place of what is there. */
    int MAP_FIXED = 0x10;

    /** Memory of no object, zeros at first. */
    int MAP_ANONYMOUS = 0x20;

    /** Faults all of it at once; what cannot be had is left out silently. */
    int MAP_POPULATE = 0x8000;

    /** At this very address, if nothing is there. */
    int MAP_FIXED_NOREPLACE = 0x10_0000;

    /** The lowest address that can be mapped: {@code vm.mmap_min_addr}. */
    long FIRST = 0x1_0000;

    /** The end of user addresses: {@code TASK_SIZE} of four levels. */
    long END = 0x7fff_ffff_f000L;

    /** The most mappings: {@code vm.max_map_count}. */
    int MAX_MAPPINGS = 65_530;

    /** Pages will be written to: {@code FOLL_WRITE}. */
    int PIN_WRITE = 1;

    /** Pins are kept for long: {@code FOLL_LONGTERM}. */
    int PIN_LONGTERM = 2;

    /** Pages are charged to {@link #lockedMemory}, and uncharged when they are unpinned. */
    int PIN_CHARGE = 4;

    /** {@return for messages} */
    String name();

    /**
     * Maps: {@code mmap()}.
     *
     * @param address where, if fixed; else a wish, 0 for none
     * @param bytes rounded up to pages
     * @param protection a sum of {@link #PROT_READ} and the like
     * @param flags a sum of {@link #MAP_SHARED} and the like
     * @param object what; null exactly with {@link #MAP_ANONYMOUS}
     * @param offset in the object, a multiple of the page size
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no length, bad flags, not
     *     aligned; {@code ENOMEM} no room, too many mappings, past the end; {@code EPERM} below
     *     {@link #FIRST}; {@code EEXIST} something is there; {@code EOVERFLOW} the offset; {@code
     *     ENODEV} the object has retired; and what {@link MappingOperations#mapped} throws
     */
    CpuMapping map(
            long address,
            long bytes,
            int protection,
            int flags,
            @Nullable Mappable object,
            long offset);

    /**
     * Unmaps whatever lies there, which may be nothing: {@code munmap()}.
     *
     * @param bytes rounded up to pages
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not aligned, no length, past
     *     the end; {@code ENOMEM} too many mappings after a split
     */
    void unmap(long address, long bytes);

    /**
     * Changes what is allowed: {@code mprotect()}.
     *
     * @param bytes rounded up to pages
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} not aligned or no such
     *     protection; {@code ENOMEM} part of it is not mapped (what lies before is changed), or too
     *     many mappings; {@code EACCES} stores were forbidden
     */
    void protect(long address, long bytes, int protection);

    /** {@return the mapping at an address, or null} */
    @Nullable CpuMapping find(long address);

    /** {@return the mappings by rising address; a copy} */
    List<CpuMapping> mappings();

    /** {@return pages that the page table itself takes} */
    long tablePages();

    /**
     * {@return the page table's entry for an address, as the CPU has it; 0 if there is none} Bits
     * as on x86-64: 0 present, 1 writable, 2 user, 5 accessed, 6 dirty, 7 large, 9 no page behind
     * it, 12 to 51 the physical address, 63 no execution.
     */
    long entry(long address);

    /**
     * Loads a value.
     *
     * @param width 1, 2, 4 or 8 bytes
     * @return zero-extended
     * @throws CpuSignal it cannot be touched
     */
    long load(long address, int width);

    /**
     * Stores a value.
     *
     * @param width 1, 2, 4 or 8 bytes
     * @param value its low bytes
     * @throws CpuSignal it cannot be touched
     */
    void store(long address, int width, long value);

    /**
     * Loads bytes.
     *
     * @throws CpuSignal some cannot be touched; those before are done
     */
    void read(long address, MemorySegment target, long offset, long bytes);

    /**
     * Stores bytes.
     *
     * @throws CpuSignal some cannot be touched; those before are done
     */
    void write(long address, MemorySegment source, long offset, long bytes);

    /**
     * Loads and stores bytes: {@code memcpy()}. The two may not overlap.
     *
     * @throws CpuSignal some cannot be touched; those before are done
     */
    void copy(long from, long to, long bytes);

    /**
     * As {@link #read}, by the kernel.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EFAULT} some cannot be touched
     */
    void copyFromUser(long address, MemorySegment target, long offset, long bytes);

    /**
     * As {@link #write}, by the kernel.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EFAULT} some cannot be touched
     */
    void copyToUser(long address, MemorySegment source, long offset, long bytes);

    /**
     * Pins all pages that a range touches, faulting what is missing: {@code pin_user_pages()}.
     *
     * @param flags a sum of {@link #PIN_WRITE} and the like
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no bytes or more than 2^31
     *     pages; {@code EFAULT} not mapped, not allowed, a bus error, or memory without pages;
     *     {@code ENOMEM} no page, or past the limit. Nothing is pinned then
     */
    PinnedPages pin(long address, long bytes, int flags);

    /** {@return what is charged for pins} */
    LockedMemory lockedMemory();

    /** Unmaps everything and gives the page table back. Again is fine. */
    @Override
    void close();
}
