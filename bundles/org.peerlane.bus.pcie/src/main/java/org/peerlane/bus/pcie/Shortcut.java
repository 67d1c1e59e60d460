package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaTranslation;

/**
 * Where the last request of one direction went: memory, and for which addresses, as long as nothing
 * changes on the way there. Saves two look-ups of routes and the translation.
 *
 * <p><b>Good</b> inside a counted section in which {@link Fabric#epoch} is the same and the {@link
 * DmaTranslation.Generation} of the answer has not advanced.
 *
 * <p><b>Threads.</b> One owner of the counted section only.
 */
final class Shortcut {
    private static final long NEVER = -1;

    /** The answer that it is made of. */
    final DmaTranslation.Target target = new DmaTranslation.Target();

    /** The memory; null: the last request did not end at memory. */
    @Nullable MemorySegment segment;

    /** Where {@link #first} is in it. */
    long offset;

    /** The address behind the IOMMU of {@link #first}. */
    long physical;

    /** Whether the way leads through the root complex. */
    boolean root;

    private long epoch = NEVER;
    private long first;
    private long bytes;
    private DmaTranslation.@Nullable Generation generation;
    private long number;

    /**
     * {@return whether it holds for these bytes}
     *
     * @param now the epoch
     */
    boolean leads(long from, long length, long now) {
        DmaTranslation.Generation counted = generation;
        long inside = from - first;
        return epoch == now
                && inside >= 0
                && inside <= bytes - length
                && (counted == null || counted.number() == number);
    }

    /** {@return how far behind its start an address is} */
    long inside(long from) {
        return from - first;
    }

    /** Nothing is known any more. */
    void forget() {
        epoch = NEVER;
        segment = null;
        generation = null;
    }

    /**
     * Keeps the way to memory.
     *
     * @param route at whose end it is
     * @param now the epoch that was read before the route
     * @param from the address that was asked for
     * @param at the same behind the IOMMU
     * @param room for how many bytes it holds
     * @param throughRoot as {@link #root}
     * @param translated the answer is in {@link #target}
     */
    void keep(
            Route route,
            long now,
            long from,
            long at,
            long room,
            boolean throughRoot,
            boolean translated) {
        segment = route.segment();
        offset = at - route.base();
        physical = at;
        root = throughRoot;
        first = from;
        bytes = room;
        generation = translated ? target.generation : null;
        number = target.number;
        boolean lasts = generation != null && number != DmaTranslation.Target.NOT_KEPT;
        epoch = translated && !lasts ? NEVER : now;
    }
}
