package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Where a request goes, decided hop by hop, and for which addresses that holds.
 *
 * @param end what is at the end
 * @param first lowest address that is decided in the same way
 * @param last highest of them
 * @param base the address of the first byte of what is at the end
 * @param segment the bytes of what behaves like memory
 * @param function whose BAR it is; null: RAM, or nobody
 * @param bar its index
 * @param port the last port passed, or the one that refuses; null: none
 * @param why of a refusal, in words; of others, what is at the end
 */
record Route(
        End end,
        long first,
        long last,
        long base,
        @Nullable MemorySegment segment,
        @Nullable Endpoint function,
        int bar,
        @Nullable Port port,
        String why) {

    /** The ends that a route may have. */
    enum End {
        /** RAM, or a BAR that behaves like memory. */
        MEMORY,
        /** Registers. */
        REGISTERS,
        /** The root complex: the IOMMU is next. */
        ROOT,
        /** Nobody: unsupported request. */
        NOBODY,
        /** A port that ACS makes refuse: completer abort (PC-55). */
        VIOLATION
    }

    static Route toRoot(Span span, @Nullable Port port) {
        return new Route(
                End.ROOT, span.first(), span.last(), 0, null, null, 0, port, "root complex");
    }

    static Route nobody(Span span, @Nullable Port port, String why) {
        return new Route(End.NOBODY, span.first(), span.last(), 0, null, null, 0, port, why);
    }

    static Route violation(Span span, Port port, String why) {
        return new Route(End.VIOLATION, span.first(), span.last(), 0, null, null, 0, port, why);
    }

    static Route ram(Span span, long base, MemorySegment segment, String name) {
        return new Route(End.MEMORY, span.first(), span.last(), base, segment, null, 0, null, name);
    }

    static Route bar(Span span, long base, Endpoint function, int bar, @Nullable Port port) {
        MemorySegment segment = function.bars().memory(bar);
        return new Route(
                segment == null ? End.REGISTERS : End.MEMORY,
                span.first(),
                span.last(),
                base,
                segment,
                function,
                bar,
                port,
                function.slot() + " BAR " + bar);
    }

    boolean covers(long address) {
        return Long.compareUnsigned(address - first, last - first) <= 0;
    }

    /** {@return the same route, for the addresses in front of an offset} */
    Route shifted(Span span, long offset) {
        return new Route(
                end, span.first(), span.last(), base - offset, segment, function, bar, port, why);
    }
}
