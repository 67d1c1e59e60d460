package org.peerlane.bus.api;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A function's way to memory and to its peers. Every byte a device moves goes through here, named
 * by the function's requester id.
 *
 * <p>A call is split into transactions that stay inside one translation, one target and one 4 KiB
 * page; a failure in the middle leaves the earlier ones done (IM-8).
 *
 * <p><b>Threads.</b> Engine threads of the device only, never a register access: a call may block.
 *
 * <p><b>Answers.</b> A packed {@code long}, see {@link DmaResult}; never an exception for what a
 * guest did, never an object.
 *
 * <p><b>Cost.</b> No allocation, no lock.
 */
@ProviderType
public interface DmaPort {
    /**
     * Memory read: waits for the data.
     *
     * @param address bus address or IOVA
     * @param attributes see {@link DmaAttributes}
     * @param local to here
     * @param offset in {@code local}
     * @param length bytes; 0 is a flush of the path (PC-75)
     * @return {@code OK}, or why the first transaction that failed did, and the bytes before it
     */
    long read(long address, int attributes, MemorySegment local, long offset, long length);

    /**
     * Memory write: posted. What becomes of it at the target, the device never learns.
     *
     * @param address bus address or IOVA
     * @param attributes see {@link DmaAttributes}
     * @param local from here
     * @param offset in {@code local}
     * @param length bytes
     * @return {@code OK} once posted, or a local refusal: {@link DmaResult#BUS_MASTER_OFF}, {@link
     *     DmaResult#GONE}
     */
    long write(long address, int attributes, MemorySegment local, long offset, long length);
}
