package org.peerlane.gpu.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

/**
 * A buffer of a GPU: memory that its driver places, and moves. Kernel counterpart: {@code struct
 * ttm_buffer_object}.
 *
 * <p><b>Life.</b> Open until {@link #close}; its memory lives on while a DMA-BUF made of it does.
 *
 * <p><b>Work.</b> {@link #copyTo} and {@link #fill} only queue it. Its fence is in the reservations
 * of the buffers by the time the call returns: who maps, moves or frees one waits for it.
 *
 * <p><b>Threads.</b> Any, with no reservation held.
 */
@ProviderType
public interface GpuBuffer extends AutoCloseable {
    /** {@return its number on its card, from 1} */
    long handle();

    /** {@return the card that it is a buffer of} */
    Gpu gpu();

    /** {@return its length, whole pages} */
    long size();

    /** {@return whether it is somebody else's, and only used here} */
    boolean isImported();

    /**
     * {@return where it lies now; of one that is imported, {@link Placement#VRAM} if its memory is
     * reached as a peer's, else {@link Placement#GTT}} Out of date as soon as it is read.
     */
    Placement placement();

    /** {@return where it lies and why, for people} */
    String whereabouts();

    /** {@return how often its content was lost, by a reset of the card} */
    long losses();

    /** {@return its lock and its fences, shared with the DMA-BUF} */
    Reservation reservation();

    /**
     * Makes a DMA-BUF of it, or finds the one that there is (GX-2); of one that is imported, the
     * one that was taken in.
     *
     * @param flags access mode, of the first export
     * @return one reference, the caller's, who puts it on the buffer
     */
    DmaBuf export(int flags);

    /**
     * Moves it, also within its placement. Importers are told, then the engine copies, behind all
     * work that uses the old place; who uses the new one waits for the copy.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} it is pinned; {@code EINVAL} it
     *     may not lie there, or is imported; {@code ENOMEM} no room; {@code ECANCELED} the card is
     *     being reset. It is where it was
     */
    void move(Placement to);

    /**
     * Has the engine copy bytes behind all work that writes either, to a buffer of the same card or
     * one that it has imported.
     *
     * @return the fence, with one reference, the caller's; an error of it says what went wrong
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} beyond an end, another card's,
     *     or onto itself; and as {@link #move}
     */
    Fence copyTo(long from, GpuBuffer target, long at, long bytes);

    /**
     * Has the engine fill bytes, behind all work that uses them.
     *
     * @param bytes a multiple of 4, as {@code from} is
     * @return as {@link #copyTo}
     * @throws org.peerlane.kernel.api.ErrnoException as {@link #copyTo}
     */
    Fence fill(long from, long bytes, int pattern);

    /**
     * Maps a part into a process. A touch waits for moves; what lies beyond the BAR comes behind
     * it.
     *
     * @param offset in the buffer, a multiple of the page size
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} private, or past the end; else
     *     as {@link AddressSpace#map}
     */
    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset);

    /** The handle ends. Again is fine. */
    @Override
    void close();
}
