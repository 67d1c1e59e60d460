package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Who answers at a run of physical addresses: RAM, or a BAR of a function.
 *
 * @param name for messages
 * @param first lowest address
 * @param last highest address, inclusive
 * @param segment the bytes of what behaves like memory; null: registers
 * @param function whose BAR it is; null: RAM
 * @param bar its index; 0 for RAM
 */
record Route(
        String name,
        long first,
        long last,
        @Nullable MemorySegment segment,
        @Nullable Endpoint function,
        int bar) {

    boolean overlaps(Route other) {
        return Long.compareUnsigned(first, other.last) <= 0
                && Long.compareUnsigned(other.first, last) <= 0;
    }
}
