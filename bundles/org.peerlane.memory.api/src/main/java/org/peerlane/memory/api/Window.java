package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A view of a physically contiguous run of one mapping.
 *
 * <p><b>Life.</b> Until anything takes a part of the object out of a page table: all windows onto
 * one object close together. The mapping stays; the next {@link #segment} faults again.
 *
 * <p><b>Threads.</b> Any. The segment is not for channels or native calls: these hold up whoever
 * zaps. Who keeps the segment itself gets the JDK's {@link IllegalStateException} once it is
 * closed; {@link #read}, {@link #write} and {@link AddressSpace} never throw that.
 */
@ProviderType
public interface Window {
    /** {@return the mapping it belongs to} */
    CpuMapping mapping();

    /** {@return the virtual address of the first byte} */
    long address();

    /** {@return whether the view that {@link #segment} gave last is still open} */
    boolean isOpen();

    /**
     * {@return the view; a new one, maybe of another length, if the last has been closed}
     *
     * @throws CpuSignal what a touch of {@link #address} would be answered with
     */
    MemorySegment segment();

    /**
     * Loads bytes: through the view while it is open, else through the page table.
     *
     * @param at from {@link #address} on; may go past the view
     * @throws CpuSignal as {@link AddressSpace#read}
     */
    void read(long at, MemorySegment target, long offset, long bytes);

    /**
     * Stores bytes: through the view while it is open, else through the page table.
     *
     * @param at from {@link #address} on; may go past the view
     * @throws CpuSignal as {@link AddressSpace#write}
     */
    void write(long at, MemorySegment source, long offset, long bytes);
}
