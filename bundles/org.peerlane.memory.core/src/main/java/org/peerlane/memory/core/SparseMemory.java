package org.peerlane.memory.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * RAM as {@link RamLayout} lays it out. Each range is one region, mapped from one sparse file: RAM
 * costs what is touched of it.
 *
 * <p><b>Life.</b> Until {@link #close}, which unmaps everything; a segment that somebody kept is
 * closed then and throws. <b>Threads.</b> Any; the regions never change.
 */
@Component(
        configurationPid = "org.peerlane.memory",
        configurationPolicy = ConfigurationPolicy.REQUIRE,
        service = PhysicalMemory.class)
@Designate(ocd = SparseMemory.Config.class)
public final class SparseMemory implements PhysicalMemory, AutoCloseable {

    /** What a board says about its memory. */
    @ObjectClassDefinition(name = "Memory", description = "RAM of the machine")
    public @interface Config {
        /** {@return MiB of RAM} */
        @AttributeDefinition(
                name = "RAM",
                description = "MiB of RAM; only what is touched takes room on the host",
                min = "1",
                max = "1048576")
        int ramMiB();

        /** {@return RAM elsewhere, besides: {@code 0x20000000000+1024} is 1 GiB at 2 TiB} */
        @AttributeDefinition(
                name = "More RAM",
                description =
                        "address+MiB of each further range; the address is a multiple of 4 MiB")
        String[] moreRam() default {};
    }

    private static final Logger LOG = LogManager.getLogger(SparseMemory.class);
    private static final List<Path> FOLDERS =
            List.of(Path.of("/dev/shm"), Path.of(System.getProperty("java.io.tmpdir")));

    private final Arena arena = Arena.ofShared();
    private final List<MemoryRegion> regions;

    /** The regions once more, for a search that allocates nothing: first and last addresses. */
    private final MemoryRegion[] byAddress;

    private final long[] first;
    private final long[] last;

    private final BuddyAllocator pages;

    /** Made by the framework, once a board says how much RAM there is. */
    @Activate
    public SparseMemory(@Reference Execution execution, Config config) {
        this(execution, config.ramMiB(), List.of(config.moreRam()));
    }

    /**
     * Makes RAM in shared memory, or, if that has no room, in the folder for temporary files.
     *
     * @param moreRam further ranges, each {@code address+MiB}
     * @throws ErrnoException {@code EINVAL} a size out of range, a range that cannot be read, lies
     *     in the hole, is not aligned, too high or taken twice; {@code EIO} no file can be made
     */
    public SparseMemory(Execution execution, int ramMiB, List<String> moreRam) {
        this(execution, RamLayout.of(ramMiB, moreRam), FOLDERS);
    }

    /**
     * Makes RAM in shared memory, or, if that has no room, in the folder for temporary files.
     *
     * @throws ErrnoException {@code EINVAL} a size out of range; {@code EIO} no file can be made
     */
    public SparseMemory(Execution execution, int ramMiB) {
        this(execution, ramMiB, List.of());
    }

    SparseMemory(Execution execution, RamLayout layout, List<Path> folders) {
        long bytes = layout.bytes();
        try (BackingFile file = BackingFile.make(folders, bytes)) {
            regions = layOut(file, layout);
            pages = new BuddyAllocator(execution, regions, file.room());
            LOG.info("{} MiB of RAM in {}", bytes >>> 20, file.room().place());
        } catch (RuntimeException | OutOfMemoryError e) {
            arena.close();
            throw e;
        }
        byAddress = regions.toArray(MemoryRegion[]::new);
        first = regions.stream().mapToLong(r -> r.range().first().value()).toArray();
        last = regions.stream().mapToLong(r -> r.range().last().value()).toArray();
    }

    private List<MemoryRegion> layOut(BackingFile file, RamLayout layout) {
        List<MemoryRegion> laid = new ArrayList<>();
        long position = 0;
        for (AddressRange<PhysicalAddress> range : layout.ranges()) {
            MemorySegment segment = file.map(position, range.bytes(), arena);
            laid.add(new MemoryRegion("ram" + laid.size(), range, segment));
            position += range.bytes();
        }
        return List.copyOf(laid);
    }

    @Override
    public List<MemoryRegion> regions() {
        return regions;
    }

    @Override
    public @Nullable MemoryRegion find(long physical) {
        int i = index(physical);
        return i < 0 ? null : byAddress[i];
    }

    private int index(long physical) {
        int low = 0;
        int high = first.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(physical, first[middle]) < 0) {
                high = middle - 1;
            } else if (Long.compareUnsigned(physical, last[middle]) > 0) {
                low = middle + 1;
            } else {
                return middle;
            }
        }
        return -1;
    }

    @Override
    public PageAllocator pages() {
        return pages;
    }

    @Override
    public void read(long physical, MemorySegment target, long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, target.byteSize());
        checkRam(physical, bytes);
        long done = 0;
        while (done < bytes) {
            int i = index(physical + done);
            long at = physical + done - first[i];
            long part = Math.min(bytes - done, byAddress[i].segment().byteSize() - at);
            MemorySegment.copy(byAddress[i].segment(), at, target, offset + done, part);
            done += part;
        }
    }

    @Override
    public void write(long physical, MemorySegment source, long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, source.byteSize());
        checkRam(physical, bytes);
        long done = 0;
        while (done < bytes) {
            int i = index(physical + done);
            long at = physical + done - first[i];
            long part = Math.min(bytes - done, byAddress[i].segment().byteSize() - at);
            MemorySegment.copy(source, offset + done, byAddress[i].segment(), at, part);
            done += part;
        }
    }

    private void checkRam(long physical, long bytes) {
        long checked = 0;
        while (checked < bytes) {
            long at = physical + checked;
            int i = Long.compareUnsigned(at, physical) < 0 ? -1 : index(at);
            if (i < 0) {
                throw new ErrnoException(
                        Errno.EFAULT,
                        "0x%x, %d bytes: no RAM at 0x%x".formatted(physical, bytes, at));
            }
            checked += last[i] - at + 1;
        }
    }

    /** Unmaps everything; the room that it took is free again. */
    @Override
    @Deactivate
    public void close() {
        pages.close();
        arena.close();
    }
}
