package org.peerlane.dmabuf.api;

import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.FileTable;

/**
 * Memory that processes ask for as buffers. Kernel counterpart: a file in {@code /dev/dma_heap}.
 *
 * <p><b>Life.</b> A service per heap, with its name as property {@link #NAME}. Buffers outlive the
 * file that they were asked from, not the heap: when its bundle leaves they are revoked for good.
 *
 * <p><b>Threads.</b> Any. <b>Units.</b> Bytes. <b>Source.</b> Rules HP-1 to HP-4.
 */
@ProviderType
public interface DmaHeap {
    /** The service property that has the heap's name. */
    String NAME = "dmabuf.heap";

    /** {@return its name, such as {@code system}} */
    String name();

    /**
     * What DMA_HEAP_IOCTL_ALLOC is given.
     *
     * @param length rounded up to pages
     * @param fd the field for the answer, which has to be 0
     * @param fdFlags access mode and {@link ExportInfo#O_CLOEXEC}
     * @param heapFlags none are defined
     */
    record Allocation(long length, int fd, int fdFlags, long heapFlags) {}

    /**
     * Makes a buffer of zeros.
     *
     * @return one reference, the caller's
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} a field, or no length; {@code
     *     ENOMEM}
     */
    DmaBuf allocate(Allocation request);

    /**
     * DMA_HEAP_IOCTL_ALLOC: as {@link #allocate(Allocation)}, with a descriptor.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EMFILE} besides
     */
    int allocate(Allocation request, FileTable files);
}
