package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who decodes which bus address: an immutable table, sorted, disjoint. Built anew when decoding
 * changes, read without a lock.
 */
final class Routes {
    /** Someone who decodes addresses: RAM, or a BAR of a function. */
    static final class Target {
        final long first;
        final long last;

        /** What is behind it if it behaves like memory. */
        final @Nullable MemorySegment memory;

        /** Whose BAR it is; null: RAM. */
        final @Nullable Function function;

        final int bar;

        Target(
                long first,
                long last,
                @Nullable MemorySegment memory,
                @Nullable Function function,
                int bar) {
            this.first = first;
            this.last = last;
            this.memory = memory;
            this.function = function;
            this.bar = bar;
        }

        @Override
        public String toString() {
            String who = function == null ? "RAM" : function.slot() + " BAR " + bar;
            return "%s at 0x%x-0x%x".formatted(who, first, last);
        }
    }

    private final long[] firsts;
    private final Target[] targets;
    private final List<String> conflicts;

    private Routes(List<Target> sorted, List<String> conflicts) {
        targets = sorted.toArray(Target[]::new);
        firsts = new long[targets.length];
        for (int i = 0; i < firsts.length; i++) {
            firsts[i] = targets[i].first;
        }
        this.conflicts = conflicts;
    }

    /** {@return the table; of two that overlap, the earlier in the list decodes (PC-19)} */
    static Routes of(List<Target> byPriority) {
        List<Target> placed = new ArrayList<>();
        List<String> conflicts = new ArrayList<>();
        for (Target target : byPriority) {
            Target other = overlapping(placed, target);
            if (other == null) {
                placed.add(target);
            } else {
                conflicts.add(target + " overlaps " + other + ", which keeps decoding");
            }
        }
        placed.sort(Comparator.comparing(t -> t.first, Long::compareUnsigned));
        return new Routes(placed, conflicts);
    }

    private static @Nullable Target overlapping(List<Target> placed, Target target) {
        for (Target other : placed) {
            if (Long.compareUnsigned(other.first, target.last) <= 0
                    && Long.compareUnsigned(target.first, other.last) <= 0) {
                return other;
            }
        }
        return null;
    }

    /** {@return one line for each target that lost an overlap} */
    List<String> conflicts() {
        return conflicts;
    }

    /** {@return who decodes the address, or null: nobody} */
    @Nullable Target find(long address) {
        int low = 0;
        int high = firsts.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(firsts[middle], address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        if (high < 0) {
            return null;
        }
        Target target = targets[high];
        return Long.compareUnsigned(address, target.last) <= 0 ? target : null;
    }
}
