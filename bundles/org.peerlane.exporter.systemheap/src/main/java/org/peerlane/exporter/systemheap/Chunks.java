package org.peerlane.exporter.systemheap;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PhysicalMemory;

/**
 * The memory of one buffer: runs of pages of 1 MiB, 64 KiB and 4 KiB, in the order of its bytes
 * (HP-10 to HP-12). Neighbours are not merged.
 *
 * <p><b>Life.</b> From {@link #allocate} to {@link #free}, once. <b>Threads.</b> Immutable.
 */
final class Chunks {
    /** As many pages as a chunk may have, largest first; each is a power of two. */
    private static final int[] ORDERS = {8, 4, 0};

    private static final long PAGE = PhysicalMemory.PAGE_BYTES;

    private final PhysicalMemory memory;
    private final List<Chunk> chunks;
    private final List<AddressRange<PhysicalAddress>> ranges;

    private record Chunk(long physical, int order) {
        long bytes() {
            return PAGE << order;
        }
    }

    private Chunks(PhysicalMemory memory, List<Chunk> chunks) {
        this.memory = memory;
        this.chunks = List.copyOf(chunks);
        ranges =
                chunks.stream()
                        .map(one ->
                                AddressRange.ofLength(
                                        new PhysicalAddress(one.physical()), one.bytes()))
                        .toList();
    }

    /**
     * Takes memory, and zeroes it. Each chunk is as large as what is left, and as the one before.
     *
     * @param bytes whole pages
     * @throws ErrnoException {@code ENOMEM} not that much is free; all is given back
     */
    static Chunks allocate(PhysicalMemory memory, long bytes) {
        List<Chunk> taken = new ArrayList<>();
        boolean whole = false;
        try {
            int from = 0;
            for (long left = bytes; left > 0; ) {
                from = smaller(left, from);
                Chunk chunk = take(memory.pages(), from);
                taken.add(chunk);
                zero(memory, chunk);
                from = indexOf(chunk.order());
                left -= chunk.bytes();
            }
            whole = true;
            return new Chunks(memory, taken);
        } catch (ErrnoException e) {
            throw new ErrnoException(
                    Errno.ENOMEM,
                    "0x%x bytes: %d chunks were free, and then %s"
                            .formatted(bytes, taken.size(), e.getMessage()));
        } finally {
            if (!whole) {
                giveBack(memory, taken);
            }
        }
    }

    private static int smaller(long left, int from) {
        int index = from;
        while (PAGE << ORDERS[index] > left) {
            index++;
        }
        return index;
    }

    private static int indexOf(int order) {
        for (int i = 0; i < ORDERS.length; i++) {
            if (ORDERS[i] == order) {
                return i;
            }
        }
        throw new AssertionError(order);
    }

    /** A large run that is not to be had is no failure; a page is. */
    private static Chunk take(PageAllocator pages, int from) {
        for (int index = from; index < ORDERS.length - 1; index++) {
            try {
                return new Chunk(pages.allocate(ORDERS[index]), ORDERS[index]);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOMEM) {
                    throw e;
                }
            }
        }
        return new Chunk(pages.allocate(0), 0);
    }

    private static void zero(PhysicalMemory memory, Chunk chunk) {
        MemoryRegion region = memory.find(chunk.physical());
        if (region == null) {
            throw new AssertionError("no RAM at 0x%x".formatted(chunk.physical()));
        }
        region.segment()
                .asSlice(chunk.physical() - region.range().first().value(), chunk.bytes())
                .fill((byte) 0);
    }

    private static void giveBack(PhysicalMemory memory, List<Chunk> chunks) {
        chunks.forEach(one -> memory.pages().free(one.physical(), one.order()));
    }

    void free() {
        giveBack(memory, chunks);
    }

    /** {@return a range for each chunk, in the order of the buffer's bytes} */
    List<AddressRange<PhysicalAddress>> ranges() {
        return ranges;
    }
}
