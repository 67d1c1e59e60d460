package org.peerlane.gpu.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.DmaBuf;

/**
 * One card. Kernel counterpart: a device file of DRM.
 *
 * <p><b>Life.</b> From probe to removal; then every call answers {@code ENODEV}, and its buffers
 * are revoked for good.
 *
 * <p><b>Threads.</b> Any, with no reservation held.
 */
@ProviderType
public interface Gpu {
    /** {@return its slot} */
    String name();

    /** {@return its function} */
    PcieFunction function();

    /** {@return how much there is of each kind of memory, and is in use} */
    List<GpuMemory> memory();

    /**
     * Makes a buffer of zeros. Buffers that were used longest ago leave the VRAM for it, if need
     * be.
     *
     * @return to be closed by the caller
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} no bytes, or no domain; {@code
     *     ENOMEM} no room anywhere; {@code ENODEV}
     */
    GpuBuffer allocate(GpuAllocation request);

    /**
     * Takes a buffer in: one of another exporter's is attached, and its memory used where it lies,
     * by way of the bus if it can be; one of this card's own is the same one again (GX-2).
     *
     * @param buffer stays the caller's
     * @return to be closed by the caller
     * @throws org.peerlane.kernel.api.ErrnoException as {@link
     *     org.peerlane.dmabuf.api.DmaBufs#dynamicAttach}
     */
    GpuBuffer importBuffer(DmaBuf buffer);

    /** {@return the buffers that are open, by handle; a copy} */
    List<GpuBuffer> buffers();

    /**
     * {@return a buffer that is open}
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ENOENT} none has that handle
     */
    GpuBuffer buffer(long handle);

    /**
     * Moves everything out of the VRAM that is not pinned.
     *
     * @return how many buffers have left
     */
    int evict();

    /**
     * Resets the card. Work that has not ended fails with {@code ECANCELED}, as soon as what it
     * waits for has ended. Nobody reaches the VRAM meanwhile: buffers of which peers have mapped
     * some, be it before a move, are revoked before and given back after. What was in the VRAM is
     * zeros then.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EBUSY} a buffer is pinned in VRAM by
     *     somebody who cannot be told to stop; {@code EIO} it does not come back
     */
    void reset();

    /** {@return how often the content of the VRAM was lost} */
    long resets();
}
