package org.peerlane.bus.pcie;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Puts blocks into free addresses, each at the lowest that is aligned.
 *
 * <p><b>Order.</b> If the blocks come by falling size, each rounded up to a power of two, none is
 * put further up than if they all had the rounded sizes; so what fits as powers of two fits. By
 * falling alignment, as operating systems do it, often less is wasted. {@link #ORDERS} has both.
 */
final class Packing {
    static final List<Comparator<Block>> ORDERS =
            List.of(
                    Comparator.comparingLong(Block::align)
                            .thenComparingLong(Block::bytes)
                            .reversed()
                            .thenComparingInt(block -> block.what().rank()),
                    Comparator.comparingLong(Block::rounded)
                            .thenComparingLong(Block::align)
                            .reversed()
                            .thenComparingInt(block -> block.what().rank()));

    /** Where blocks went, or that they did not all fit. */
    record Result(Map<Tenant, Long> places, long last) {}

    /**
     * Something to be put.
     *
     * @param bytes negative: more than fits anywhere
     * @param align a power of two
     */
    record Block(Tenant what, long bytes, long align) {
        long rounded() {
            return bytes <= 0 || bytes > 1L << 61
                    ? Long.MAX_VALUE
                    : Math.max(align, Long.highestOneBit(bytes * 2 - 1));
        }
    }

    /** First to last address. */
    private final TreeMap<Long, Long> free = new TreeMap<>();

    Packing(long first, long last) {
        if (last >= first) {
            free.put(first, last);
        }
    }

    /** Keeps addresses for somebody else. */
    void exclude(long from, long to) {
        Map.Entry<Long, Long> run = free.floorEntry(to);
        while (run != null && run.getValue() >= from) {
            free.remove(run.getKey());
            if (run.getKey() < from) {
                free.put(run.getKey(), from - 1);
            }
            if (run.getValue() > to) {
                free.put(to + 1, run.getValue());
            }
            run = free.floorEntry(to);
        }
    }

    /** {@return where all of them go so that the last address is the lowest; null: they do not} */
    @Nullable Result put(List<Block> blocks) {
        Result best = null;
        for (Comparator<Block> order : ORDERS) {
            Result found = put(blocks, order);
            if (found != null && (best == null || found.last() < best.last())) {
                best = found;
            }
        }
        return best;
    }

    private @Nullable Result put(List<Block> blocks, Comparator<Block> order) {
        TreeMap<Long, Long> before = new TreeMap<>(free);
        Map<Tenant, Long> places = new LinkedHashMap<>();
        long last = -1;
        for (Block block : blocks.stream().sorted(order).toList()) {
            long base = put(block.bytes(), block.align());
            if (base < 0) {
                break;
            }
            places.put(block.what(), base);
            last = Math.max(last, base + block.bytes() - 1);
        }
        free.clear();
        free.putAll(before);
        return places.size() == blocks.size() ? new Result(places, last) : null;
    }

    /** {@return where it is now; negative: nowhere} */
    private long put(long bytes, long align) {
        if (bytes <= 0 || align <= 0) {
            return -1;
        }
        for (Map.Entry<Long, Long> run : free.entrySet()) {
            long base = Aperture.align(run.getKey(), align);
            long last = base + (bytes - 1);
            if (base >= run.getKey() && last >= base && last <= run.getValue()) {
                exclude(base, last);
                return base;
            }
        }
        return -1;
    }
}
