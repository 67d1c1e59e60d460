package org.peerlane.dmabuf.api;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.CpuMapping;

/**
 * One piece of memory that devices and processes share.
 *
 * <p><b>Life.</b> {@code LIVE} from {@link DmaBufs#export}, with one reference; {@code DYING} at
 * the last {@link #put}; {@code GONE} once {@link DmaBufOperations#release} has returned.
 * Descriptors, CPU mappings, armed polls and holders in the kernel all count as references of the
 * one file; attachments do not, so an importer holds a reference of its own from before attach
 * until after detach (DB-10, DB-11). The size is fixed for life.
 *
 * <p><b>Locks.</b> One {@link #reservation}; see the package. Order: device, reservation, then what
 * an importer's callback takes.
 *
 * <p><b>Threads.</b> Any. Callbacks come on the thread that caused them.
 *
 * <p><b>Source.</b> Kernel counterpart: {@code struct dma_buf}; rules DB-1 to DB-71.
 */
@ProviderType
public interface DmaBuf extends OpenFile {
    /** Only {@link #seek} to the start: {@code SEEK_SET}. */
    int SEEK_SET = 0;

    /** Only {@link #seek} to the end: {@code SEEK_END}. */
    int SEEK_END = 2;

    /** For {@link #sync}, {@link #exportSyncFile} and {@link #importSyncFile}: for reading. */
    int SYNC_READ = 1;

    /** For {@link #sync}, {@link #exportSyncFile} and {@link #importSyncFile}: for writing. */
    int SYNC_WRITE = 2;

    /** For {@link #sync}: the access has ended; without it, it begins. */
    int SYNC_END = 4;

    /** {@return a number that no other buffer of this machine has or had: its inode (DB-3)} */
    long id();

    /** {@return the exporter's name, such as {@code system}} */
    String exporterName();

    /** {@return the name that somebody has given it; empty without one} */
    String name();

    /** {@return the length in bytes} */
    long size();

    /** {@return what {@link ExportInfo#flags} left: access mode and O_NONBLOCK (DB-3)} */
    int flags();

    /** {@return its lock and its fences; may be shared with other buffers (DB-4)} */
    Reservation reservation();

    /** {@return what the exporter keeps with it} */
    Object privateData();

    /** {@return whether its exporter has taken access away} */
    RevokeState revokeState();

    /**
     * One holder less, for who holds a lock that the release must not find held, such as the
     * reservation: the last one is put on a thread of its own. Kernel counterpart: {@code fput()}.
     */
    void putLater();

    /** {@return pins that attachments hold now, implicit ones included} */
    int pins();

    /** {@return [held] the attachments in the order in which they came; a copy} */
    List<Attachment> attachments();

    /**
     * [free] A CPU access begins: the exporter prepares the memory, then this waits for the fences
     * of implicit synchronisation: those of writers, and for a write those of readers too (DB-50).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code ERESTARTSYS} interrupted while waiting;
     *     or what the exporter throws
     */
    void beginCpuAccess(DmaDirection direction);

    /**
     * [free] A CPU access ends; pairs with {@link #beginCpuAccess} in the same direction (DB-51).
     * Never waits.
     */
    void endCpuAccess(DmaDirection direction);

    /**
     * [held] Makes the memory addressable by the kernel; it stays where it is until {@link #vunmap}
     * (DB-56). Calls count; all of them answer the same.
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the exporter offers none
     */
    IoSysMap vmap();

    /**
     * [held] Takes one {@link #vmap} back; the last one reaches the exporter.
     *
     * @throws IllegalStateException there is none, or it is another map (reported as CK-14)
     */
    void vunmap(IoSysMap map);

    /**
     * [free] Maps a part into a process (DB-54). The mapping holds a reference and outlives closed
     * descriptors and zaps.
     *
     * @param address where, as {@link AddressSpace#map} takes it
     * @param bytes rounded up to pages
     * @param protection a sum of {@link AddressSpace#PROT_READ} and the like
     * @param flags a sum of {@link AddressSpace#MAP_SHARED} and the like
     * @param offset in the buffer, a multiple of the page size
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} the exporter offers none, or
     *     past the end; {@code EOVERFLOW} offset and length; {@code EACCES} the descriptor's access
     *     mode; {@code EPERM} for execution; else as {@link AddressSpace#map}
     */
    CpuMapping mmap(
            AddressSpace space, long address, long bytes, int protection, int flags, long offset);

    /**
     * lseek: how a process learns the size (DB-60).
     *
     * @return the size or 0
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} anything else than offset 0
     *     from {@link #SEEK_SET} or {@link #SEEK_END}
     */
    long seek(long offset, int whence);

    /**
     * DMA_BUF_SET_NAME, at any time (DB-61).
     *
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} more than 31 bytes as UTF-8
     */
    void setName(String name);

    /**
     * [free] DMA_BUF_IOCTL_SYNC: {@link #beginCpuAccess} or {@link #endCpuAccess} (DB-52).
     *
     * @param flags {@link #SYNC_READ}, {@link #SYNC_WRITE} or both, and {@link #SYNC_END}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} other bits, or neither read nor
     *     write; {@code EINTR} interrupted
     */
    void sync(long flags);

    /**
     * [free] DMA_BUF_IOCTL_EXPORT_SYNC_FILE: the fences that an access has to wait for, as they are
     * now (DB-62).
     *
     * @param flags {@link #SYNC_READ} for a reader's, {@link #SYNC_WRITE} for a writer's or both
     * @return one reference, the caller's; signaled already if there is no fence
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} other bits or none; {@code
     *     ENOMEM}
     */
    SyncFile exportSyncFile(int flags);

    /**
     * [free] DMA_BUF_IOCTL_IMPORT_SYNC_FILE: others wait for these fences from now on (DB-63).
     *
     * @param flags {@link #SYNC_WRITE} adds a writer's, {@link #SYNC_READ} alone a reader's
     * @param file a sync file; anything else is {@code EINVAL}
     * @throws org.peerlane.kernel.api.ErrnoException {@code EINVAL} flags or file; {@code ENOMEM}
     */
    void importSyncFile(int flags, @Nullable OpenFile file);
}
