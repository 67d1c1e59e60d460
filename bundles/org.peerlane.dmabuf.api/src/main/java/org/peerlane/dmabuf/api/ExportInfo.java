package org.peerlane.dmabuf.api;

import org.jspecify.annotations.Nullable;

/**
 * What an exporter says of a new buffer. Kernel counterpart: {@code struct dma_buf_export_info}.
 * Its values are checked by {@link DmaBufs#export} (DB-1).
 *
 * @param exporterName such as {@code system}
 * @param operations the exporter's callbacks
 * @param size bytes
 * @param flags {@code O_*}: access mode and O_NONBLOCK are kept (DB-3)
 * @param reservation one to share, or null for one of its own (DB-4)
 * @param privateData what the exporter keeps with it
 */
public record ExportInfo(
        String exporterName,
        @Nullable DmaBufOperations operations,
        long size,
        int flags,
        @Nullable Reservation reservation,
        @Nullable Object privateData) {

    /** Read-only descriptor. */
    public static final int O_RDONLY = 0;

    /** Write-only descriptor. */
    public static final int O_WRONLY = 1;

    /** Descriptor for both. */
    public static final int O_RDWR = 2;

    /** Both bits of the access mode. */
    public static final int O_ACCMODE = 3;

    /** Calls do not wait. */
    public static final int O_NONBLOCK = 0x800;

    /** The descriptor does not survive an exec. */
    public static final int O_CLOEXEC = 0x80000;

    /** A buffer with a reservation of its own, for reading and writing. */
    public ExportInfo(
            String exporterName, DmaBufOperations operations, long size, Object privateData) {
        this(exporterName, operations, size, O_RDWR, null, privateData);
    }
}
