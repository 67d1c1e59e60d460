package org.peerlane.memory.core;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * Physical memory as a board file sizes it.
 *
 * <p><b>Life.</b> While the component is active; {@link #close} unmaps it, and whoever still uses a
 * segment of it meets {@link IllegalStateException}.
 *
 * <p><b>Threads.</b> Any; look-ups read an array that never changes.
 */
@Component(
        service = PhysicalMemory.class,
        configurationPid = "org.peerlane.memory",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = Memory.Config.class)
public final class Memory implements PhysicalMemory {
    /** What a board file may say. */
    @ObjectClassDefinition(name = "Physical memory")
    public @interface Config {
        /** {@return how much RAM the machine has, in MiB} */
        @AttributeDefinition(description = "RAM in MiB", min = "4", max = "16777216")
        int ramMiB() default 256;
    }

    private static final Logger LOG = LogManager.getLogger(Memory.class);

    private final Ram ram;
    private final MemoryRegion[] regions;
    private final BuddyAllocator pages;

    /**
     * For the framework.
     *
     * @throws ErrnoException {@code EINVAL} the size is out of its range; {@code ENOMEM} no folder
     *     has room for the file
     */
    @Activate
    public Memory(@Reference Execution execution, Config config) {
        this(execution, (long) config.ramMiB() << 20);
    }

    /**
     * Makes a machine's memory.
     *
     * @param execution gives the allocator its lock
     * @param bytes a multiple of 4 MiB, at least that
     * @throws ErrnoException as above
     */
    public Memory(Execution execution, long bytes) {
        if (bytes < PAGE_BYTES << PageAllocator.MAX_ORDER || bytes % (1L << 20) != 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "%d bytes of RAM; expected whole MiB, at least 4".formatted(bytes));
        }
        ram = Ram.allocate(bytes);
        regions = ram.regions().toArray(MemoryRegion[]::new);
        pages = new BuddyAllocator(execution.lock("memory.buddy"), ram);
        LOG.info("{} MiB of RAM in {}", bytes >> 20, List.of(regions));
    }

    /** Unmaps the memory. */
    @Deactivate
    public void close() {
        ram.close();
    }

    @Override
    public List<MemoryRegion> regions() {
        return List.of(regions);
    }

    @Override
    public @Nullable MemoryRegion find(long physical) {
        for (MemoryRegion region : regions) { // two at the most
            if (Long.compareUnsigned(
                            physical - region.range().first().value(), region.segment().byteSize())
                    < 0) {
                return region;
            }
        }
        return null;
    }

    @Override
    public PageAllocator pages() {
        return pages;
    }

    @Override
    public void read(long physical, MemorySegment target, long offset, long bytes) {
        check(physical, bytes);
        long done = 0;
        while (done < bytes) {
            MemoryRegion region = regionOf(physical + done);
            long at = physical + done - region.range().first().value();
            long run = Math.min(bytes - done, region.segment().byteSize() - at);
            MemorySegment.copy(region.segment(), at, target, offset + done, run);
            done += run;
        }
    }

    @Override
    public void write(long physical, MemorySegment source, long offset, long bytes) {
        check(physical, bytes);
        long done = 0;
        while (done < bytes) {
            MemoryRegion region = regionOf(physical + done);
            long at = physical + done - region.range().first().value();
            long run = Math.min(bytes - done, region.segment().byteSize() - at);
            MemorySegment.copy(source, offset + done, region.segment(), at, run);
            done += run;
        }
    }

    private void check(long physical, long bytes) {
        long done = 0;
        while (Long.compareUnsigned(done, bytes) < 0) {
            MemoryRegion region = regionOf(physical + done);
            done +=
                    region.segment().byteSize()
                            - (physical + done - region.range().first().value());
        }
    }

    private MemoryRegion regionOf(long physical) {
        MemoryRegion region = find(physical);
        if (region == null) {
            throw new ErrnoException(
                    Errno.EFAULT,
                    "no RAM at physical address 0x%x; there is %s"
                            .formatted(physical, List.of(regions)));
        }
        return region;
    }
}
