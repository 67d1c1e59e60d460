package org.peerlane.memory.core.space;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.peerlane.memory.api.AddressSpace;

/**
 * The mappings of a process by address, none overlapping another: a sorted array.
 *
 * <p><b>Cost.</b> Finding: a binary search. Adding and removing: the references behind move, at
 * most 65,530. Choosing an address: a look at each mapping from the top down. <b>Threads.</b> The
 * owner locks.
 */
final class VmaList implements Iterable<Vma> {
    /** Where mappings without a wish are put below: the kernel leaves room for the stack. */
    static final long TOP = AddressSpace.END - (128L << 20) & -(1L << 30);

    private Vma[] items = new Vma[8];
    private int count;

    int count() {
        return count;
    }

    Vma get(int index) {
        return items[index];
    }

    /** {@return the number of the first mapping that ends after an address, or the count} */
    int firstEndingAfter(long address) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (items[middle].end() > address) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** {@return the mapping at an address} */
    @Nullable Vma find(long address) {
        int i = firstEndingAfter(address);
        return i < count && items[i].first() <= address ? items[i] : null;
    }

    boolean isFree(long first, long end) {
        int i = firstEndingAfter(first);
        return i == count || items[i].first() >= end;
    }

    void add(Vma vma) {
        int at = firstEndingAfter(vma.first());
        if (count == items.length) {
            items = Arrays.copyOf(items, 2 * count);
        }
        System.arraycopy(items, at, items, at + 1, count - at);
        items[at] = vma;
        count++;
    }

    /** {@return the mappings numbered {@code from} to {@code to}, exclusive, now not in it} */
    List<Vma> remove(int from, int to) {
        List<Vma> removed = List.of(Arrays.copyOfRange(items, from, to));
        System.arraycopy(items, to, items, from, count - to);
        int now = count - (to - from);
        Arrays.fill(items, now, count, null);
        count = now;
        return removed;
    }

    /** {@return the end of the last mapping before an address, or 0} */
    long floor(long address) {
        int i = firstEndingAfter(address - 1);
        while (i < count && items[i].end() <= address) {
            i++;
        }
        return i == 0 ? 0 : items[i - 1].end();
    }

    /** {@return the start of the first mapping from an address on, or the end of all tables} */
    long ceiling(long address) {
        int i = firstEndingAfter(address);
        return i == count ? Pte.span(Pte.TOP) * (Pte.ENTRIES / 2) : items[i].first();
    }

    /**
     * {@return the highest free address below {@link #TOP}, or -1}
     *
     * @param phase what the address is to be modulo {@code alignment}, a power of two
     */
    long choose(long bytes, long alignment, long phase) {
        long ceiling = TOP;
        for (int i = count - 1; i >= -1; i--) {
            long floor = i < 0 ? AddressSpace.FIRST : items[i].end();
            long at = (ceiling - bytes - phase & -alignment) + phase;
            if (ceiling - bytes >= floor && at >= floor) {
                return at;
            }
            if (i >= 0) {
                ceiling = Math.min(ceiling, items[i].first());
            }
        }
        return -1;
    }

    @Override
    public Iterator<Vma> iterator() {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < count;
            }

            @Override
            public Vma next() {
                if (next >= count) {
                    throw new NoSuchElementException();
                }
                return items[next++];
            }
        };
    }
}
