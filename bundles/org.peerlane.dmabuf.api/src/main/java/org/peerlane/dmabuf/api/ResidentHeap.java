package org.peerlane.dmabuf.api;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * What heaps of ordinary RAM have in common: they check requests, and export what they take.
 *
 * <p><b>Threads.</b> Any. <b>Source.</b> HP-2, HP-11.
 */
public abstract class ResidentHeap implements DmaHeap {
    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    private final String name;
    private final DmaBufs dmabufs;
    private final PhysicalMemory memory;

    /**
     * @param dmabufs the heap's bundle's
     */
    protected ResidentHeap(String name, DmaBufs dmabufs, PhysicalMemory memory) {
        this.name = name;
        this.dmabufs = dmabufs;
        this.memory = memory;
    }

    /**
     * Takes memory, and zeroes it.
     *
     * @param bytes whole pages, no more than the machine has
     * @throws ErrnoException {@code ENOMEM} not that much is free; nothing is taken then
     */
    protected abstract ResidentBuffer take(long bytes);

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final DmaBuf allocate(Allocation request) {
        return dmabufs.handOver(make(request));
    }

    @Override
    public final int allocate(Allocation request, FileTable files) {
        return dmabufs.fdOrPut(files, make(request), request.fdFlags() & ExportInfo.O_CLOEXEC);
    }

    /** {@return one reference, this bundle's} */
    private DmaBuf make(Allocation request) {
        if (request.fd() != 0 || request.heapFlags() != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "fd %d and heap flags 0x%x; expected 0 and 0"
                            .formatted(request.fd(), request.heapFlags()));
        }
        int flags = request.fdFlags();
        if ((flags & ~(ExportInfo.O_ACCMODE | ExportInfo.O_CLOEXEC)) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "descriptor flags 0x%x; expected an access mode and O_CLOEXEC"
                            .formatted(flags));
        }
        long bytes = request.length() + PAGE - 1 & -PAGE;
        if (bytes == 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "a buffer of 0x%x bytes, in whole pages 0; expected at least 1"
                            .formatted(request.length()));
        }
        requireRoom(bytes);
        return take(bytes).export(dmabufs, name, flags & ExportInfo.O_ACCMODE);
    }

    /** No machine has it; so nothing is zeroed first only to be given back (HP-11). */
    private void requireRoom(long bytes) {
        long all = memory.pages().totalPages();
        if (bytes < 0 || bytes / PAGE > all) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "0x%x bytes, and the machine has 0x%x in all".formatted(bytes, all * PAGE));
        }
    }
}
