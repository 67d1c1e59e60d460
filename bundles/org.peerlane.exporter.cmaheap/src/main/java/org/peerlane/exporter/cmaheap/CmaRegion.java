package org.peerlane.exporter.cmaheap;

import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Machine;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Sets the area aside and registers its heap, whose name depends on the machine's kernel.
 *
 * <p><b>Life.</b> The area outlives it until the last buffer has gone.
 */
@Component(service = CmaRegion.class, immediate = true) // the heap is what others see
@Designate(ocd = CmaRegion.Config.class)
public final class CmaRegion {
    /** The heap's name since 6.17. */
    static final String DEFAULT_CMA_REGION = "default_cma_region";

    /** The region. */
    @ObjectClassDefinition(name = "CMA region")
    public @interface Config {
        /** {@code cma=} on a kernel's command line. */
        @AttributeDefinition(description = "how many MiB are set aside, rounded up to 4")
        int sizeMiB() default 16;

        /** The heap's name before 6.17. */
        @AttributeDefinition(description = "the region's name, and the heap's before Linux 6.17")
        String region() default "reserved";

        /** {@code CONFIG_CMA_ALIGNMENT}. */
        @AttributeDefinition(
                description =
                        "buffers are aligned to their size, but to no more than 2 to this power"
                                + " pages; 0 to 10")
        int alignmentOrder() default 8;
    }

    private final CmaArea area;
    private final ServiceRegistration<DmaHeap> registration;

    /** Made by the framework. */
    @Activate
    public CmaRegion(
            @Reference Execution execution,
            @Reference DmaBufs dmabufs,
            @Reference PhysicalMemory memory,
            @Reference Machine machine,
            BundleContext context,
            Config config) {
        area = new CmaArea(execution, memory, config.sizeMiB(), config.alignmentOrder());
        String name = heapName(machine.profile(), config.region());
        registration =
                context.registerService(
                        DmaHeap.class,
                        new CmaHeap(name, dmabufs, memory, area),
                        FrameworkUtil.asDictionary(Map.of(DmaHeap.NAME, name)));
    }

    /** {@return how the heap of a region is called (HP-30)} */
    static String heapName(Profile profile, String region) {
        return profile.atLeast(Profile.Base.V6_19) ? DEFAULT_CMA_REGION : region;
    }

    /** No more buffers. */
    @Deactivate
    public void close() {
        registration.unregister();
        area.put();
    }
}
