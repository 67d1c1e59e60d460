package org.peerlane.dmabuf.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.FileTable;

/**
 * Makes buffers of the memory that processes have in memfds, so that devices reach what a process
 * wrote there without a copy. Kernel counterpart: {@code /dev/udmabuf}.
 *
 * <p><b>Life.</b> A service. Buffers outlive the memfd's descriptors, not the service: when its
 * bundle leaves they are revoked for good. <b>Threads.</b> Any. <b>Units.</b> Bytes. <b>Source.</b>
 * Rules UB-1 to UB-5.
 */
@ProviderType
public interface Udmabuf {
    /** The buffer's descriptor does not survive an exec; other flags are ignored. */
    int UDMABUF_FLAGS_CLOEXEC = 1;

    /**
     * A part of a memfd: {@code struct udmabuf_create_item}.
     *
     * @param memfd its descriptor
     * @param offset whole pages
     * @param size whole pages
     */
    record Item(int memfd, long offset, long size) {}

    /**
     * UDMABUF_CREATE_LIST: a buffer of these parts, one after the other.
     *
     * @param files whose the memfds are, and who gets the buffer
     * @return the buffer's descriptor
     * @throws org.peerlane.kernel.api.ErrnoException in the order of the checks: {@code EINVAL}
     *     more parts than the limit; a part that is not whole pages; all of them more than the
     *     limit, or nothing; {@code EBADFD} no descriptor, or not a memfd's; {@code EINVAL} a memfd
     *     that could shrink, or cannot be written to; nothing of it, or more than it has; {@code
     *     ENOMEM}; {@code EMFILE}. Nothing is pinned then
     */
    int createList(FileTable files, int flags, List<Item> items);

    /** UDMABUF_CREATE: {@link #createList} with one part. */
    default int create(FileTable files, int flags, Item item) {
        return createList(files, flags, List.of(item));
    }
}
