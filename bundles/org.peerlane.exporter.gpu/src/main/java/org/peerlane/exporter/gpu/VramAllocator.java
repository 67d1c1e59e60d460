package org.peerlane.exporter.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;

/**
 * Hands out the card's memory: runs of 2^n pages, halved and put together again as buddies. What
 * has to be behind the BAR is taken from the start, everything else from the end, so that it does
 * not take what others need. Kernel counterpart: {@code drm_buddy}.
 *
 * <p><b>Threads.</b> Any. <b>Units.</b> Bytes from the start of the VRAM.
 */
final class VramAllocator {
    static final int PAGE_LG2 = 12;
    static final long PAGE = 1L << PAGE_LG2;

    /**
     * A run that is taken.
     *
     * @param offset in the VRAM
     * @param order 2^order pages
     */
    record Block(long offset, int order) {
        long bytes() {
            return PAGE << order;
        }
    }

    private final long bytes;
    private final int top;
    private final NamedLock lock;

    /** By order, where free runs start. Guarded by lock. */
    private final List<TreeSet<Long>> free = new ArrayList<>();

    /** Guarded by lock. */
    private long freeBytes;

    /**
     * @param bytes a power of two, at least a page
     */
    VramAllocator(Execution execution, long bytes) {
        this.bytes = bytes;
        lock = execution.lock("gpu.vram");
        top = Long.numberOfTrailingZeros(bytes) - PAGE_LG2;
        for (int order = 0; order <= top; order++) {
            free.add(new TreeSet<>());
        }
        free.get(top).add(0L);
        freeBytes = bytes;
    }

    long bytes() {
        return bytes;
    }

    long free() {
        lock.lock();
        try {
            return freeBytes;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes memory, in as few runs as there can be.
     *
     * @param wanted whole pages
     * @param end all of it has to be below
     * @return the runs by rising offset, or null: not that much is free there
     */
    @Nullable List<Block> allocate(long wanted, long end) {
        List<Block> taken = new ArrayList<>();
        lock.lock();
        try {
            long left = wanted;
            while (left > 0) {
                Block block = takeFor(left, end);
                if (block == null) {
                    taken.forEach(this::giveBack);
                    return null;
                }
                left -= keep(block, left, taken);
            }
        } finally {
            lock.unlock();
        }
        taken.sort((a, b) -> Long.compare(a.offset(), b.offset()));
        return taken;
    }

    /** {@return a run that is large enough for all that is left, else the largest there is} */
    private @Nullable Block takeFor(long left, long end) {
        int enough = Math.min(top, order(left));
        for (int order = enough; order >= 0; order--) {
            Block block = take(order, end);
            if (block != null) {
                return block;
            }
        }
        return null;
    }

    /** {@return the smallest order whose run holds so many bytes} */
    private static int order(long bytes) {
        long pages = bytes + PAGE - 1 >>> PAGE_LG2;
        return pages <= 1 ? 0 : Long.SIZE - Long.numberOfLeadingZeros(pages - 1);
    }

    /** {@return the lowest or the highest run of an order that there is} */
    private @Nullable Block take(int order, long end) {
        boolean low = end < bytes;
        Block best = null;
        for (int from = order; from <= top; from++) {
            TreeSet<Long> starts = free.get(from);
            if (!starts.isEmpty()) {
                Block found = new Block(low ? starts.first() : starts.last(), from);
                if (best == null || low == found.offset() < best.offset()) {
                    best = found;
                }
            }
        }
        if (best == null || best.offset() + (PAGE << order) > end) {
            return null;
        }
        free.get(best.order()).remove(best.offset());
        freeBytes -= best.bytes();
        return halve(best, order, low);
    }

    /** {@return the lowest or the highest part of a run; the rest is free again} */
    private Block halve(Block whole, int order, boolean low) {
        Block part = whole;
        while (part.order() > order) {
            int half = part.order() - 1;
            Block first = new Block(part.offset(), half);
            Block second = new Block(part.offset() + (PAGE << half), half);
            giveBack(low ? second : first);
            part = low ? first : second;
        }
        return part;
    }

    /** Keeps as much of a run as is wanted, and gives the rest back. {@return how much it kept} */
    private long keep(Block block, long wanted, List<Block> kept) {
        if (block.bytes() <= wanted) {
            kept.add(block);
            return block.bytes();
        }
        int half = block.order() - 1;
        Block first = new Block(block.offset(), half);
        Block second = new Block(block.offset() + (PAGE << half), half);
        long done = keep(first, wanted, kept);
        if (done < wanted) {
            return done + keep(second, wanted - done, kept);
        }
        giveBack(second);
        return done;
    }

    /** Gives runs back. */
    void free(List<Block> blocks) {
        lock.lock();
        try {
            blocks.forEach(this::giveBack);
        } finally {
            lock.unlock();
        }
    }

    private void giveBack(Block block) {
        freeBytes += block.bytes();
        long offset = block.offset();
        int order = block.order();
        while (order < top && free.get(order).remove(offset ^ PAGE << order)) {
            offset &= -(PAGE << order + 1);
            order++;
        }
        if (!free.get(order).add(offset)) {
            throw new IllegalStateException("0x%x is free already".formatted(offset));
        }
    }
}
