package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Something that processes map, and all its mappings. Kernel counterpart: {@code struct
 * address_space} with its tree of VMAs.
 *
 * <p><b>Life.</b> Until {@link #retire}; its mappings stay, and every touch of them is a bus error
 * from then on. <b>Threads.</b> Any.
 */
@ProviderType
public interface Mappable {
    /** {@return for messages} */
    String name();

    /** {@return what its mappings are made of} */
    MappableKind kind();

    /** {@return how many mappings it has now} */
    int mappings();

    /**
     * Takes a part of the object out of all page tables. When this returns, no load or store
     * reaches what was mapped, and every window onto the object is closed, whatever the part. The
     * mappings stay; their next touch faults. Kernel counterpart: {@code unmap_mapping_range()}.
     *
     * <p>[free: mmap lock] The exporter's own lock may be held, and has to be, if a fault must not
     * put back at once what this takes out. Waits for accesses in progress, each of bounded length;
     * never fails.
     *
     * @param offset in the object
     * @param bytes how many; {@link Long#MAX_VALUE} for all from there on
     */
    void unmapRange(long offset, long bytes);

    /**
     * Ends the object: its operations are never called again, though calls in progress may still be
     * on their way out, all of it is taken out of page tables, and nothing can be put back. Again
     * is fine.
     */
    void retire();
}
