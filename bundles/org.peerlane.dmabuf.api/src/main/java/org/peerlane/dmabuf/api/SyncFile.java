package org.peerlane.dmabuf.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.kernel.api.OpenFile;

/**
 * A fence that a process can hold (FE-23). Readable, for {@link #poll}, once it has signaled.
 * Kernel counterpart: {@code struct sync_file}; rule UA-1.
 *
 * <p><b>Life.</b> Until the last {@link #put}. <b>Threads.</b> Any.
 */
@ProviderType
public interface SyncFile extends OpenFile {
    /** {@return the name it was merged under; else made of driver, timeline and seqno} */
    String name();

    /** {@return its fence, maybe a container; the reference stays the file's} */
    Fence fence();

    /** {@return 1 signaled, 0 active, a negative errno} */
    int status();

    /** {@return each leaf (SYNC_IOC_FILE_INFO)} */
    List<FenceInfo> info();

    /**
     * SYNC_IOC_MERGE: a new file for what both stand for.
     *
     * @param name at most 31 bytes as UTF-8 are kept
     * @param other a sync file; anything else is {@code ENOENT}
     * @param flags 0
     * @param pad 0
     * @return one reference, the caller's
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} flags or pad; {@code ENOENT};
     *     {@code ENOMEM}
     */
    SyncFile merge(String name, @Nullable OpenFile other, int flags, int pad);

    /**
     * SYNC_IOC_SET_DEADLINE.
     *
     * @param pad 0
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} pad
     */
    void setDeadline(long nanoTime, long pad);

    /**
     * One leaf. Kernel counterpart: {@code struct sync_fence_info}.
     *
     * @param timelineName its timeline
     * @param driverName its issuer
     * @param status 1 signaled, 0 active, a negative errno
     * @param timestamp when it signaled, nanoseconds; 0 before
     */
    record FenceInfo(String timelineName, String driverName, int status, long timestamp) {}
}
