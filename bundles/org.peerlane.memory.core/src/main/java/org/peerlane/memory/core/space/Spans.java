package org.peerlane.memory.core.space;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.peerlane.memory.api.RegisterAccess;

/**
 * What answers at which physical addresses: an immutable snapshot, found by binary search.
 *
 * <p><b>Cost.</b> No allocation. <b>Threads.</b> Any.
 */
final class Spans {
    /** One run of addresses; the segment answers, or if there is none the registers. */
    record Span(
            long first,
            long last,
            @Nullable MemorySegment segment,
            @Nullable RegisterAccess registers,
            @Nullable Device device) {}

    private final Span[] spans;
    private final long[] first;
    private final long[] last;
    private final @Nullable MemorySegment[] segments;

    /**
     * @param byAddress rising, without overlaps
     */
    Spans(List<Span> byAddress) {
        spans = byAddress.toArray(Span[]::new);
        first = byAddress.stream().mapToLong(Span::first).toArray();
        last = byAddress.stream().mapToLong(Span::last).toArray();
        segments = byAddress.stream().map(Span::segment).toArray(MemorySegment[]::new);
    }

    /** {@return the number of the span that holds an address, or -1} */
    int find(long physical) {
        int low = 0;
        int high = first.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (physical < first[middle]) {
                high = middle - 1;
            } else {
                low = middle;
            }
        }
        return high >= 0 && physical >= first[low] && physical <= last[low] ? low : -1;
    }

    long first(int span) {
        return first[span];
    }

    long last(int span) {
        return last[span];
    }

    /** {@return the span's bytes; null: registers} */
    @Nullable MemorySegment segment(int span) {
        return segments[span];
    }

    /** {@return the bytes of a span that is RAM} */
    MemorySegment memory(int span) {
        return Objects.requireNonNull(segments[span]);
    }

    Span span(int span) {
        return spans[span];
    }

    List<Span> all() {
        return List.of(spans);
    }

    /** {@return whether somebody answers at every address of a range} */
    boolean cover(long physical, long bytes) {
        long end = physical + bytes;
        if (physical < 0 || end < physical) {
            return false;
        }
        for (long at = physical; at < end; ) {
            int i = find(at);
            if (i < 0) {
                return false;
            }
            at = last[i] + 1;
        }
        return true;
    }
}
