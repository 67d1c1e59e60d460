package org.peerlane.exporter.udmabuf;

import static org.peerlane.memory.api.Memfd.F_SEAL_FUTURE_WRITE;
import static org.peerlane.memory.api.Memfd.F_SEAL_SHRINK;
import static org.peerlane.memory.api.Memfd.F_SEAL_WRITE;

import java.util.ArrayList;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Udmabuf;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.memory.api.Memfd;
import org.peerlane.memory.api.PhysicalMemory;
import org.peerlane.memory.api.PinnedPages;

/**
 * {@code /dev/udmabuf}: pins pages of memfds and exports them.
 *
 * <p><b>Life.</b> When its bundle leaves, the core revokes what is left and unpins it.
 * <b>Threads.</b> Any: it has no state.
 */
@Component(service = Udmabuf.class)
@Designate(ocd = UdmabufDevice.Config.class)
public final class UdmabufDevice implements Udmabuf {
    static final String NAME = "udmabuf";

    private static final long PAGE = PhysicalMemory.PAGE_BYTES;
    private static final long PAGES_PER_MIB = (1 << 20) / PAGE;
    private static final int SEALS_WANTED = F_SEAL_SHRINK;
    private static final int SEALS_DENIED = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

    /** The module's parameters. */
    @ObjectClassDefinition(name = "udmabuf")
    public @interface Config {
        /** {@code list_limit}. */
        @AttributeDefinition(description = "the most parts that a buffer may be made of")
        int listLimit() default 1024;

        /** {@code size_limit_mb}. */
        @AttributeDefinition(description = "the most MiB that a buffer may have")
        int sizeLimitMiB() default 64;
    }

    private final DmaBufs dmabufs;
    private final PhysicalMemory memory;
    private final int listLimit;
    private final long pageLimit;

    /** Made by the framework. */
    @Activate
    public UdmabufDevice(
            @Reference DmaBufs dmabufs, @Reference PhysicalMemory memory, Config config) {
        this(dmabufs, memory, config.listLimit(), config.sizeLimitMiB());
    }

    /**
     * Without a framework.
     *
     * @param listLimit see {@link Config#listLimit}
     * @param sizeLimitMiB see {@link Config#sizeLimitMiB}
     */
    public UdmabufDevice(DmaBufs dmabufs, PhysicalMemory memory, int listLimit, int sizeLimitMiB) {
        this.dmabufs = dmabufs;
        this.memory = memory;
        this.listLimit = listLimit;
        pageLimit = sizeLimitMiB * PAGES_PER_MIB;
    }

    @Override
    public int createList(FileTable files, int flags, List<Item> items) {
        if (items.size() > listLimit) {
            throw invalid("%d parts; expected at most %d".formatted(items.size(), listLimit));
        }
        checkPages(items);
        UdmabufBuffer buffer = new UdmabufBuffer(memory, pin(files, items));
        return dmabufs.fdOrPut(
                files,
                buffer.export(dmabufs, NAME, ExportInfo.O_RDWR),
                (flags & UDMABUF_FLAGS_CLOEXEC) == 0 ? 0 : ExportInfo.O_CLOEXEC);
    }

    private void checkPages(List<Item> items) {
        long pages = 0;
        for (Item item : items) {
            if (((item.offset() | item.size()) & PAGE - 1) != 0) {
                throw invalid(
                        "0x%x bytes at 0x%x; expected whole pages"
                                .formatted(item.size(), item.offset()));
            }
            pages += item.size() >>> Long.numberOfTrailingZeros(PAGE);
            if (pages > pageLimit) {
                throw invalid("%d pages or more; expected at most %d".formatted(pages, pageLimit));
            }
        }
        if (pages == 0) {
            throw invalid("a buffer of nothing; expected at least a page");
        }
    }

    private static List<PinnedPages> pin(FileTable files, List<Item> items) {
        List<PinnedPages> pinned = new ArrayList<>();
        try {
            items.forEach(item -> pinned.add(pin(files, item)));
            return List.copyOf(pinned);
        } finally {
            if (pinned.size() < items.size()) {
                UdmabufBuffer.unpin(pinned);
            }
        }
    }

    private static PinnedPages pin(FileTable files, Item item) {
        OpenFile file;
        try {
            file = files.get(item.memfd());
        } catch (ErrnoException e) {
            throw new ErrnoException(Errno.EBADFD, e.sentence(), e);
        }
        try {
            if (!(file instanceof Memfd memfd)) {
                throw new ErrnoException(
                        Errno.EBADFD,
                        "descriptor %d is of a %s; expected a memfd"
                                .formatted(item.memfd(), file.fileType()));
            }
            return memfd.pin(item.offset(), item.size(), SEALS_WANTED, SEALS_DENIED);
        } finally {
            file.put();
        }
    }

    private static ErrnoException invalid(String sentence) {
        return new ErrnoException(Errno.EINVAL, sentence);
    }
}
