package org.peerlane.bus.pcie;

/**
 * How far a routing decision for one address holds: narrowed by every range that was looked at, so
 * that all addresses of the span would have been decided in the same way.
 */
final class Span {
    private long first;
    private long last = -1;

    long first() {
        return first;
    }

    long last() {
        return last;
    }

    /** The decision differs inside and outside of a range: stay on the address's side of it. */
    void bound(long address, long from, long to) {
        if (Long.compareUnsigned(address, from) < 0) {
            last = Long.compareUnsigned(from - 1, last) < 0 ? from - 1 : last;
        } else if (Long.compareUnsigned(address, to) > 0) {
            first = Long.compareUnsigned(to + 1, first) > 0 ? to + 1 : first;
        } else {
            first = Long.compareUnsigned(from, first) > 0 ? from : first;
            last = Long.compareUnsigned(to, last) < 0 ? to : last;
        }
    }

    /** Takes over another span, whose addresses are this one's plus an offset. */
    void narrow(long address, Span other, long offset) {
        bound(address, other.first - offset, other.last - offset);
    }
}
