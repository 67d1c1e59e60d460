package org.peerlane.memory.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * What an exporter does about its mappings. Kernel counterpart: {@code file_operations.mmap} and
 * {@code struct vm_operations_struct}.
 *
 * <p><b>Locks.</b> All are called with the mmap lock of the address space held, and with no other.
 * They may take the exporter's lock; they may not touch user memory.
 */
@ConsumerType
public interface MappingOperations {
    /**
     * [held: mmap lock, write] A new mapping, before anybody can touch it: checks it, may
     * {@linkplain CpuMapping#insert populate} it and set its {@link CpuMapping#privateData}. Not
     * followed by {@link #close} if it throws.
     *
     * @throws org.peerlane.kernel.api.ErrnoException fails the {@code mmap} with this errno
     */
    default void mapped(CpuMapping mapping) {}

    /** [held: mmap lock, write] A mapping that has come from another by a split. */
    default void open(CpuMapping mapping) {}

    /** [held: mmap lock, write] A mapping has gone, or a part that has been split off. */
    default void close(CpuMapping mapping) {}

    /**
     * [held: mmap lock, read] A touch of an address with no entry, or a store to one that is
     * read-only.
     *
     * @return {@link FaultResult#DONE} after an {@linkplain Fault#insert insertion} that covers it
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOMEM} counts as {@link
     *     FaultResult#OUT_OF_MEMORY}, any other as {@link FaultResult#BUS_ERROR}
     */
    FaultResult fault(Fault fault);
}
