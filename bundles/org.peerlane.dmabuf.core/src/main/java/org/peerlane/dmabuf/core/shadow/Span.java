package org.peerlane.dmabuf.core.shadow;

import org.jspecify.annotations.Nullable;

/**
 * One run of one mapping, in the list of those that touch a page or a larger piece: the newest
 * first.
 *
 * <p><b>Threads.</b> Immutable.
 */
final class Span {
    final Entry entry;
    final long first;
    final long last;
    final @Nullable Span next;

    Span(Entry entry, long first, long last, @Nullable Span next) {
        this.entry = entry;
        this.first = first;
        this.last = last;
        this.next = next;
    }

    boolean touches(long from, long to) {
        return Long.compareUnsigned(first, to) <= 0 && Long.compareUnsigned(from, last) <= 0;
    }

    boolean covers(long from, long to) {
        return Long.compareUnsigned(first, from) <= 0 && Long.compareUnsigned(to, last) <= 0;
    }

    /** {@return a list without what was taken back and lies inside of a new run, in its piece} */
    static @Nullable Span withoutKept(@Nullable Span list, long from, long to) {
        if (list == null) {
            return null;
        }
        Span rest = withoutKept(list.next, from, to);
        if (list.entry.isKept()
                && Long.compareUnsigned(list.first, from) >= 0
                && Long.compareUnsigned(list.last, to) <= 0) {
            return rest;
        }
        return isSame(rest, list.next) ? list : new Span(list.entry, list.first, list.last, rest);
    }

    /** {@return a list without one mapping} */
    static @Nullable Span without(@Nullable Span list, Entry gone) {
        if (list == null) {
            return null;
        }
        Span rest = without(list.next, gone);
        if (list.entry.equals(gone)) {
            return rest;
        }
        return isSame(rest, list.next) ? list : new Span(list.entry, list.first, list.last, rest);
    }

    @SuppressWarnings("ReferenceEquality") // the very list
    private static boolean isSame(@Nullable Span one, @Nullable Span other) {
        return one == other;
    }
}
