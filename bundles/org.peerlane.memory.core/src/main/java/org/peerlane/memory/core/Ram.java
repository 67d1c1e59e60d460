package org.peerlane.memory.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;

/**
 * The RAM's bytes: one sparse file, mapped, unlinked as soon as it is open. It lies in shared
 * memory, so that other processes can map it too; where that has no room for all of it, in the temp
 * folder.
 *
 * <p>As on a PC, RAM below 3 GiB starts at address 0 and the rest at 4 GiB; in between are the
 * devices.
 */
final class Ram implements AutoCloseable {
    /** Where the hole for devices starts. */
    static final long HOLE_FIRST = 0xC000_0000L;

    /** The first address after it. */
    static final long HOLE_END = 1L << 32;

    private static final Logger LOG = LogManager.getLogger(Ram.class);
    private static final Path SHARED = Path.of("/dev/shm");

    private final Arena arena = Arena.ofShared();
    private final FileStore store;
    private final List<MemoryRegion> regions = new ArrayList<>();

    private Ram(Path folder, long bytes) throws IOException {
        Path file = Files.createTempFile(folder, "peerlane-ram", "");
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.SPARSE)) {
            store = Files.getFileStore(folder);
            long low = Math.min(bytes, HOLE_FIRST);
            addRegion("ram0", channel, 0, 0, low);
            if (bytes > low) {
                addRegion("ram1", channel, low, HOLE_END, bytes - low);
            }
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        } finally {
            Files.delete(file);
        }
    }

    private void addRegion(String name, FileChannel channel, long offset, long first, long bytes)
            throws IOException {
        MemorySegment segment = channel.map(MapMode.READ_WRITE, offset, bytes, arena);
        var range = AddressRange.ofLength(new PhysicalAddress(first), bytes);
        regions.add(new MemoryRegion(name, range, segment));
    }

    /**
     * Makes the file.
     *
     * @throws ErrnoException {@code ENOMEM} it cannot be made anywhere
     */
    static Ram allocate(long bytes) {
        Path temp = Path.of(System.getProperty("java.io.tmpdir"));
        try {
            if (Files.isWritable(SHARED) && Files.getFileStore(SHARED).getUsableSpace() >= bytes) {
                return new Ram(SHARED, bytes);
            }
            LOG.info("{} has no room for {} MiB of RAM, using {}", SHARED, bytes >> 20, temp);
            return new Ram(temp, bytes);
        } catch (IOException e) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "no file of %d MiB for RAM in %s or %s: %s"
                            .formatted(bytes >> 20, SHARED, temp, e.getMessage()),
                    e);
        }
    }

    /** {@return the regions, by rising address} */
    List<MemoryRegion> regions() {
        return regions;
    }

    /** {@return how many bytes the file system could still take} */
    long usableSpace() {
        try {
            return store.getUsableSpace();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
