package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.OpenFile;

/**
 * A file in memory that belongs to no file system: pages of RAM behind a descriptor, which
 * processes read, write and map, and exporters pin. What may be done to it can be given up for
 * good, by seals. Kernel counterpart: {@code memfd_create()}, {@code mm/memfd.c}.
 *
 * <p><b>Life.</b> Until the last {@link #put}; each mapping is one holder. Its pages go then, but
 * for those that somebody has pinned, which go with the pin. The memory may not go before.
 *
 * <p><b>Pages.</b> There are none at first, and a hole reads as zeros; a touch, a write or a pin
 * takes one. Everybody sees the same bytes.
 *
 * <p><b>Not modelled.</b> An offset that moves with each read, huge pages, swap, {@code
 * F_SEAL_EXEC}, and the fifth of a second that the kernel waits for pins to go before it answers a
 * {@link #F_SEAL_WRITE} with {@code EBUSY}.
 *
 * <p><b>Units.</b> Offsets and sizes are bytes. <b>Threads.</b> Any. <b>Locks.</b> Its own, {@code
 * memory.memfd}, is an exporter's in the order of {@link AddressSpaces}.
 */
@ProviderType
public interface Memfd extends OpenFile {
    /** Seals cannot be added any more. */
    int F_SEAL_SEAL = 0x01;

    /** It cannot get smaller. */
    int F_SEAL_SHRINK = 0x02;

    /** It cannot get larger. */
    int F_SEAL_GROW = 0x04;

    /**
     * Its content cannot be changed by calls or through mappings, not even those that are there.
     */
    int F_SEAL_WRITE = 0x08;

    /** As {@link #F_SEAL_WRITE}, but that mappings which are there go on. */
    int F_SEAL_FUTURE_WRITE = 0x10;

    /** {@return for messages} */
    String name();

    /** {@return its size} */
    long size();

    /**
     * Makes it smaller or larger: {@code ftruncate()}. What lies behind the new end is gone, for
     * mappings too.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} below 0; {@code EPERM} sealed
     */
    void truncate(long size);

    /** {@return a sum of {@link #F_SEAL_SEAL} and the like: {@code F_GET_SEALS}} */
    int seals();

    /**
     * Adds seals: {@code F_ADD_SEALS}.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no such seal; {@code EPERM}
     *     {@link #F_SEAL_SEAL} is there; {@code EBUSY} {@link #F_SEAL_WRITE}, while a shared
     *     mapping could be written to or somebody has pinned a page
     */
    void addSeals(int seals);

    /**
     * Takes the pages of a range out of it, which reads as zeros from then on: {@code fallocate()}
     * with {@code FALLOC_FL_PUNCH_HOLE}. Who has pinned them keeps the old ones. Parts of pages are
     * zeroed.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} an offset below 0 or no bytes;
     *     {@code EPERM} sealed
     */
    void punchHole(long offset, long bytes);

    /**
     * Reads: {@code pread()}.
     *
     * @return how many bytes, fewer than the target has at the end of the file
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} an offset below 0
     */
    long read(long offset, MemorySegment target);

    /**
     * Writes, and grows if need be: {@code pwrite()}.
     *
     * @return how many bytes, fewer than the source has when pages run out
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} an offset below 0; {@code
     *     EFBIG} past 2^63; {@code EPERM} sealed; {@code ENOMEM} no page for the first byte
     */
    long write(long offset, MemorySegment source);

    /**
     * Maps it: {@link AddressSpace#map}. A touch behind its end is a bus error.
     *
     * @throws org.peerlane.kernel.api.ErrnoException what {@link AddressSpace#map} throws; {@code
     *     EPERM} shared and writable, and sealed against writes
     */
    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset);

    /**
     * Looks at the seals and pins the pages of a range, holes filled. No seal comes in between, so
     * {@link #F_SEAL_WRITE} either is seen here or is refused for the pin's sake. Kernel
     * counterpart: {@code memfd_pin_folios()} under the inode's lock.
     *
     * @param required seals that have to be there
     * @param refused seals that may not be there
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the seals; no bytes, an offset
     *     below 0, or part of the range is behind the end; {@code ENOMEM} no page
     */
    PinnedPages pin(long offset, long bytes, int required, int refused);
}
