package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.peerlane.memory.api.PageAllocator;
import org.peerlane.memory.api.PageReferences;

/**
 * One count per RAM page, made in chunks of 512 when a page of the chunk is first held.
 *
 * <pre>
 *   63    62           32 31            0
 *  dirty |     pins      |     count     |    count: each pin is in it too
 * </pre>
 *
 * <b>Cost.</b> Holding and letting go: one atomic add.
 */
final class PageRefs implements PageReferences {
    private static final long COUNT = 0xffff_ffffL;
    private static final int PINS_SHIFT = 32;
    private static final long PIN = 1L << PINS_SHIFT | 1;
    private static final long PINS = 0x7fff_ffffL;
    private static final long DIRTY = 1L << 63;
    private static final int CHUNK_LG2 = 9;
    private static final int CHUNK = 1 << CHUNK_LG2;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) Pte.PAGE]);

    private final PageAllocator pages;
    private final Spans ram;

    /** The chunks of all regions, one region after the other. */
    private final AtomicReferenceArray<@Nullable AtomicLongArray> chunks;

    /** By region: the number of its first chunk. */
    private final int[] firstChunk;

    PageRefs(PageAllocator pages, Spans ram) {
        this.pages = pages;
        this.ram = ram;
        int regions = ram.all().size();
        firstChunk = new int[regions];
        long sum = 0;
        for (int i = 0; i < regions; i++) {
            firstChunk[i] = Math.toIntExact(sum);
            long inRegion = ram.last(i) - ram.first(i) + 1 >>> Pte.PAGE_LG2;
            sum += inRegion + CHUNK - 1 >>> CHUNK_LG2;
        }
        chunks = new AtomicReferenceArray<>(Math.toIntExact(sum));
    }

    private @Nullable AtomicLongArray chunk(long physical, boolean make) {
        int region = ram.find(physical);
        if (region < 0) {
            return null;
        }
        long page = physical - ram.first(region) >>> Pte.PAGE_LG2;
        int at = firstChunk[region] + (int) (page >>> CHUNK_LG2);
        AtomicLongArray chunk = chunks.get(at);
        if (chunk == null && make) {
            AtomicLongArray made = new AtomicLongArray(CHUNK);
            AtomicLongArray other = chunks.compareAndExchange(at, null, made);
            chunk = other == null ? made : other;
        }
        return chunk;
    }

    /** A chunk begins at the region's start, which is aligned to more than it. */
    private static int index(long physical) {
        return (int) (physical >>> Pte.PAGE_LG2) & CHUNK - 1;
    }

    @Override
    public long allocate() {
        long page = pages.allocate(0);
        zero(page);
        Objects.requireNonNull(chunk(page, true)).set(index(page), 1);
        return page;
    }

    private void zero(long page) {
        int region = ram.find(page);
        MemorySegment segment = ram.memory(region);
        MemorySegment.copy(ZEROS, 0, segment, page - ram.first(region), Pte.PAGE);
    }

    @Override
    public void get(long physical) {
        add(physical, 1);
    }

    /** Holds a page once more, by a pin. */
    void pin(long physical) {
        add(physical, PIN);
    }

    private void add(long physical, long what) {
        AtomicLongArray chunk = chunk(physical, false);
        if (chunk == null || (chunk.get(index(physical)) & COUNT) == 0) {
            throw new IllegalStateException("page 0x%x: nobody holds it".formatted(physical));
        }
        chunk.getAndAdd(index(physical), what);
    }

    @Override
    public void put(long physical) {
        subtract(physical, 1);
    }

    void unpin(long physical) {
        subtract(physical, PIN);
    }

    private void subtract(long physical, long what) {
        AtomicLongArray chunk = chunk(physical, false);
        long before = chunk == null ? 0 : chunk.getAndAdd(index(physical), -what);
        if (chunk == null || (before & COUNT) == 0) {
            if (chunk != null) {
                chunk.getAndAdd(index(physical), what);
            }
            throw new IllegalStateException("page 0x%x: nobody holds it".formatted(physical));
        }
        if ((before & COUNT) == 1) {
            chunk.set(index(physical), 0);
            pages.free(physical & ~Pte.PAGE_MASK, 0);
        }
    }

    /** [held by the caller: the page] */
    void markDirty(long physical) {
        AtomicLongArray chunk = Objects.requireNonNull(chunk(physical, false));
        chunk.getAndUpdate(index(physical), state -> state | DIRTY);
    }

    private long state(long physical) {
        AtomicLongArray chunk = chunk(physical, false);
        return chunk == null ? 0 : chunk.get(index(physical));
    }

    @Override
    public int count(long physical) {
        return (int) (state(physical) & COUNT);
    }

    @Override
    public int pins(long physical) {
        return (int) (state(physical) >>> PINS_SHIFT & PINS);
    }

    @Override
    public boolean isDirty(long physical) {
        return (state(physical) & DIRTY) != 0;
    }
}
