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
 * RAM laid out as on a PC: from 0 to at most 3 GiB, and the rest from 4 GiB on, so that 32-bit BARs
 * have a place. Each part is one region, mapped from one sparse file: RAM costs what is touched of
 * it.
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
    }

    private static final Logger LOG = LogManager.getLogger(SparseMemory.class);
    private static final int MAX_MIB = 1 << 20;
    private static final long HOLE = 0xC000_0000L;
    private static final long ABOVE_HOLE = 1L << 32;

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
        this(execution, config.ramMiB());
    }

    /**
     * Makes RAM in shared memory, or, if that has no room, in the folder for temporary files.
     *
     * @throws ErrnoException {@code EINVAL} a size out of range; {@code EIO} no file can be made
     */
    public SparseMemory(Execution execution, int ramMiB) {
        this(
                execution,
                ramMiB,
                List.of(Path.of("/dev/shm"), Path.of(System.getProperty("java.io.tmpdir"))));
    }

    SparseMemory(Execution execution, int ramMiB, List<Path> folders) {
        if (ramMiB < 1 || ramMiB > MAX_MIB) {
            throw new ErrnoException(
                    Errno.EINVAL, "%d MiB of RAM; expected 1 to %d".formatted(ramMiB, MAX_MIB));
        }
        long bytes = (long) ramMiB << 20;
        try (BackingFile file = BackingFile.make(folders, bytes)) {
            regions = layOut(file, bytes);
            pages = new BuddyAllocator(execution, regions, file.room());
            LOG.info("{} MiB of RAM in {}", ramMiB, file.room().place());
        } catch (RuntimeException | OutOfMemoryError e) {
            arena.close();
            throw e;
        }
        byAddress = regions.toArray(MemoryRegion[]::new);
        first = regions.stream().mapToLong(r -> r.range().first().value()).toArray();
        last = regions.stream().mapToLong(r -> r.range().last().value()).toArray();
    }

    private List<MemoryRegion> layOut(BackingFile file, long bytes) {
        List<MemoryRegion> laid = new ArrayList<>();
        long low = Math.min(bytes, HOLE);
        laid.add(region("ram0", 0, file.map(0, low, arena)));
        if (bytes > low) {
            laid.add(region("ram1", ABOVE_HOLE, file.map(low, bytes - low, arena)));
        }
        return List.copyOf(laid);
    }

    private static MemoryRegion region(String name, long at, MemorySegment segment) {
        return new MemoryRegion(
                name, AddressRange.ofLength(new PhysicalAddress(at), segment.byteSize()), segment);
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
