package org.peerlane.exporter.systemheap;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.ResidentBuffer;
import org.peerlane.dmabuf.api.ResidentHeap;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The heap {@code system}: buffers of ordinary memory.
 *
 * <p><b>Life.</b> When its bundle leaves, the core revokes what is left and frees it.
 * <b>Threads.</b> Any.
 */
@Component(service = DmaHeap.class, property = DmaHeap.NAME + "=" + SystemHeap.SYSTEM)
@Designate(ocd = SystemHeap.Config.class)
public final class SystemHeap extends ResidentHeap {
    static final String SYSTEM = "system";

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
        super(SYSTEM, dmabufs, memory);
        this.memory = memory;
        this.pageByPage = pageByPage;
    }

    @Override
    protected ResidentBuffer take(long bytes) {
        return new HeapBuffer(memory, Chunks.allocate(memory, bytes), pageByPage);
    }
}
