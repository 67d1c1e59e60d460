package org.peerlane.dmabuf.core.shadow;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.MappingState;

/**
 * The addresses of one requester in one address space: a radix tree of pages, in which a run that
 * covers a whole subtree is kept once, at its top. As high as the highest address demands.
 *
 * <p><b>Locks.</b> None to look; who changes it holds the index's lock. Whoever looks sees each
 * page as it was before a change or as it is after.
 */
final class AddressTree {
    private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(Object[].class);
    private static final int PAGE_SHIFT = 12;
    private static final int BITS = 9;
    private static final int FANOUT = 1 << BITS;

    private volatile @Nullable Node root;

    /** Part of the tree. */
    private static final class Node {
        /** Log of the bytes of a slot. */
        final int shift;

        /** Nodes; at the pages spans. */
        final @Nullable Object[] slots = new Object[FANOUT];

        /** Runs that cover all of it. */
        volatile @Nullable Span wide;

        Node(int shift) {
            this.shift = shift;
        }

        boolean holds(long address) {
            int bits = shift + BITS;
            return bits >= Long.SIZE || address >>> bits == 0;
        }

        int index(long address) {
            return (int) (address >>> shift) & FANOUT - 1;
        }

        @Nullable Object get(int index) {
            return SLOTS.getAcquire(slots, index);
        }

        void set(int index, @Nullable Object now) {
            SLOTS.setRelease(slots, index, now);
        }
    }

    /** {@return whether nothing is in it} */
    boolean isEmpty() {
        return root == null;
    }

    /**
     * {@return to which mapping an access inside of one page belongs, or null} Where several have
     * the address: one that allows it, else the one that forbids it least, else the newest.
     */
    @Nullable Entry find(long first, long last, boolean write) {
        Node node = root;
        if (node == null || !node.holds(first)) {
            return null;
        }
        Entry best = null;
        while (true) {
            Span wide = node.wide;
            if (wide != null) {
                best = better(best, wide, first, last, write);
            }
            Object next = node.get(node.index(first));
            if (next == null) {
                return best;
            }
            if (next instanceof Span spans) {
                return better(best, spans, first, last, write);
            }
            node = (Node) next;
        }
    }

    private static @Nullable Entry better(
            @Nullable Entry before, Span spans, long first, long last, boolean write) {
        Entry best = before;
        int most = Integer.MIN_VALUE;
        for (Span span = spans; span != null; span = span.next) {
            if (!span.touches(first, last)) {
                continue;
            }
            if (best == null && span.next == null) {
                return span.entry; // the only one, as nearly always
            }
            int rank = rank(span, first, last, write);
            if (best != null && most == Integer.MIN_VALUE) {
                most = rank(best, write);
            }
            if (best == null || rank > most || rank == most && span.entry.made > best.made) {
                best = span.entry;
                most = rank;
            }
        }
        return best;
    }

    /** A mapping that allows only a part of the access excuses nothing of the rest. */
    private static int rank(Span span, long first, long last, boolean write) {
        int rank = rank(span.entry, write);
        return rank >= 3 && !span.covers(first, last) ? -1 : rank;
    }

    private static int rank(Entry entry, boolean write) {
        MappingState state = entry.state();
        return switch (state) {
            case VALID -> write && entry.readOnly ? 3 : 4;
            case STALE_BUSY -> 2;
            case STALE_IDLE -> 1;
            case UNMAPPED -> 0;
        };
    }

    /**
     * {@return whether another mapping allowed all of an access}
     *
     * @param newest made no later than this
     */
    boolean isExcused(Entry accused, long first, long last, boolean write, long newest) {
        Node node = root;
        if (node == null || !node.holds(first)) {
            return false;
        }
        while (true) {
            if (isExcused(node.wide, accused, first, last, write, newest)) {
                return true;
            }
            Object next = node.get(node.index(first));
            if (next instanceof Node inner) {
                node = inner;
            } else {
                return isExcused((Span) next, accused, first, last, write, newest);
            }
        }
    }

    private static boolean isExcused(
            @Nullable Span spans,
            Entry accused,
            long first,
            long last,
            boolean write,
            long newest) {
        for (Span span = spans; span != null; span = span.next) {
            if (!span.entry.equals(accused)
                    && span.covers(first, last)
                    && span.entry.made <= newest
                    && span.entry.allows(write)) {
                return true;
            }
        }
        return false;
    }

    /** [index's lock] Puts a run in, and what was taken back and had those addresses out. */
    void add(Entry entry, long first, long last) {
        Node top = root;
        if (top == null) {
            top = new Node(PAGE_SHIFT);
        }
        while (!top.holds(last)) {
            Node higher = new Node(top.shift + BITS);
            higher.set(0, top);
            top = higher;
        }
        add(top, entry, first, last, first, last);
        root = top;
    }

    /** Puts the part from {@code from} to {@code to} of a run into a node. */
    private static void add(Node node, Entry entry, long first, long last, long from, long to) {
        long size = 1L << node.shift;
        long start = from & -size;
        for (int i = node.index(from); i <= node.index(to); i++, start += size) {
            long end = start + (size - 1);
            Object there = node.get(i);
            if (node.shift == PAGE_SHIFT) {
                Span others = Span.withoutKept((Span) there, first, last);
                node.set(i, new Span(entry, first, last, others));
                continue;
            }
            Node inner = there == null ? new Node(node.shift - BITS) : (Node) there;
            if (isBelow(from, start) && isBelow(end, to)) {
                inner.wide =
                        new Span(entry, first, last, Span.withoutKept(inner.wide, first, last));
            } else {
                add(inner, entry, first, last, larger(from, start), smaller(to, end));
            }
            if (there == null) {
                node.set(i, inner);
            }
        }
    }

    private static boolean isBelow(long a, long b) {
        return Long.compareUnsigned(a, b) <= 0;
    }

    private static long larger(long a, long b) {
        return Long.compareUnsigned(a, b) >= 0 ? a : b;
    }

    private static long smaller(long a, long b) {
        return Long.compareUnsigned(a, b) <= 0 ? a : b;
    }

    /** [index's lock] Forgets a run, and nodes that are empty then. */
    void remove(Entry entry, long first, long last) {
        Node top = root;
        if (top != null && top.holds(first) && remove(top, entry, first, smaller(last, end(top)))) {
            root = null;
        }
    }

    private static long end(Node top) {
        int bits = top.shift + BITS;
        return bits >= Long.SIZE ? -1L : (1L << bits) - 1;
    }

    /** {@return whether the node is empty} */
    private static boolean remove(Node node, Entry entry, long from, long to) {
        long size = 1L << node.shift;
        long start = from & -size;
        for (int i = node.index(from); i <= node.index(to); i++, start += size) {
            long end = start + (size - 1);
            Object there = node.get(i);
            if (there instanceof Span spans) {
                Span left = Span.without(spans, entry);
                if (!spans.equals(left)) {
                    node.set(i, left);
                }
            } else if (there instanceof Node inner) {
                boolean empty;
                if (isBelow(from, start) && isBelow(end, to)) {
                    inner.wide = Span.without(inner.wide, entry);
                    empty = inner.wide == null && isEmpty(inner);
                } else {
                    empty = remove(inner, entry, larger(from, start), smaller(to, end));
                }
                if (empty) {
                    node.set(i, null);
                }
            }
        }
        return node.wide == null && isEmpty(node);
    }

    private static boolean isEmpty(Node node) {
        for (Object slot : node.slots) {
            if (slot != null) {
                return false;
            }
        }
        return true;
    }
}
