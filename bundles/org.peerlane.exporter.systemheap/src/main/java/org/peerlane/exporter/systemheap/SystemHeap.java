package org.peerlane.exporter.systemheap;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The heap {@code system}: buffers of ordinary memory.
 *
 * <p><b>Life.</b> When its bundle leaves, the core revokes what is left and frees it.
 * <b>Threads.</b> Any.
 */
@Component(service = DmaHeap.class, property = DmaHeap.NAME + "=" + SystemHeap.SYSTEM)
@Designate(ocd = SystemHeap.Config.class)
public final class SystemHeap implements DmaHeap {
    static final String SYSTEM = "system";

    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    /** How it behaves. */
    @ObjectClassDefinition(name = "System heap")
    public @interface Config {
        /** The way before chunks were mapped whole. */
        @AttributeDefinition(
                description =
                        "puts buffers into processes page by page, as kernels did before chunks were"
                                + " mapped whole: slower, and else the same")
        boolean pageByPage() default false;
    }

    private final DmaBufs dmabufs;
    private final PhysicalMemory memory;
    private final boolean pageByPage;

    /** Made by the framework. */
    @Activate
    public SystemHeap(@Reference DmaBufs dmabufs, @Reference PhysicalMemory memory, Config config) {
        this(dmabufs, memory, config.pageByPage());
    }

    /**
     * Without a framework.
     *
     * @param pageByPage see {@link Config#pageByPage}
     */
    public SystemHeap(DmaBufs dmabufs, PhysicalMemory memory, boolean pageByPage) {
        this.dmabufs = dmabufs;
        this.memory = memory;
        this.pageByPage = pageByPage;
    }

    @Override
    public String name() {
        return SYSTEM;
    }

    @Override
    public DmaBuf allocate(Allocation request) {
        return dmabufs.handOver(make(request));
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
        Chunks chunks = Chunks.allocate(memory, bytes);
        boolean exported = false;
        try {
            HeapBuffer buffer = new HeapBuffer(memory, chunks, bytes, pageByPage);
            DmaBuf made =
                    dmabufs.export(
                            new ExportInfo(
                                    SYSTEM,
                                    buffer,
                                    bytes,
                                    flags & ExportInfo.O_ACCMODE,
                                    null,
                                    buffer));
            exported = true;
            return made;
        } finally {
            if (!exported) {
                chunks.free();
            }
        }
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

    @Override
    public int allocate(Allocation request, FileTable files) {
        DmaBuf buffer = make(request);
        boolean installed = false;
        try {
            int fd = dmabufs.fd(files, buffer, request.fdFlags() & ExportInfo.O_CLOEXEC);
            installed = true;
            return fd;
        } finally {
            if (!installed) {
                dmabufs.put(buffer);
            }
        }
    }
}
