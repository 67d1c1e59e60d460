package org.peerlane.bus.api;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The translations that a {@link DeviceTlb} keeps: each covers a power of two of bytes, naturally
 * aligned, and has one place by its PASID and number; who comes later takes the place.
 *
 * <p><b>Threads.</b> Any looks; changes are made with the TLB's lock held. No allocation of a look.
 */
final class TlbEntries {
    /** Smallest page: 4 KiB. */
    private static final int SMALLEST = 12;

    private final AtomicReferenceArray<@Nullable Entry> places;

    /** One bit per power of two that any entry has, or had. */
    private volatile long sizes;

    /** One translation. */
    static final class Entry {
        final int pasid;
        final long first;
        final long bytes;
        final long physical;
        final int permissions;

        /** Something was posted through it; racy until its users have been waited for. */
        boolean written;

        /**
         * The largest aligned part of an answer, from the page of an address on.
         *
         * @param bytes how many from the page's start are translated the same way
         */
        Entry(int pasid, long page, long bytes, long physical, int permissions) {
            long most = Long.highestOneBit(bytes);
            long aligned = page == 0 ? most : Long.lowestOneBit(page);
            this.pasid = pasid;
            this.first = page;
            this.bytes = Math.min(most, aligned);
            this.physical = physical;
            this.permissions = permissions;
        }

        boolean overlaps(long address, long length) {
            return address <= first + (bytes - 1) && first <= address + (length - 1);
        }
    }

    TlbEntries(int count) {
        places = new AtomicReferenceArray<>(count);
    }

    /** {@return the translation of an address that has a permission, or null} */
    @Nullable Entry find(int pasid, long address, int permission) {
        for (long left = sizes; left != 0; left &= left - 1) {
            long bytes = left & -left;
            Entry entry = places.get(place(pasid, address & -bytes, bytes));
            if (entry != null
                    && entry.pasid == pasid
                    && entry.bytes == bytes
                    && entry.first == (address & -bytes)
                    && (entry.permissions & permission) != 0) {
                return entry;
            }
        }
        return null;
    }

    /** {@return whom it has put out; null: nobody} */
    @Nullable Entry put(Entry entry) {
        sizes |= entry.bytes;
        return places.getAndSet(place(entry.pasid, entry.first, entry.bytes), entry);
    }

    /**
     * {@return what it has taken out}
     *
     * @param pasid -1: those without
     * @param bytes all-ones: everything, of all process address spaces if there is no PASID
     */
    List<Entry> remove(int pasid, long address, long bytes) {
        List<Entry> removed = new ArrayList<>();
        for (int i = 0; i < places.length(); i++) {
            Entry entry = places.get(i);
            if (entry == null) {
                continue;
            }
            boolean all = bytes == -1 && (pasid == -1 || entry.pasid == pasid);
            if (all || bytes != -1 && entry.pasid == pasid && entry.overlaps(address, bytes)) {
                places.set(i, null);
                removed.add(entry);
            }
        }
        return removed;
    }

    private int place(int pasid, long first, long bytes) {
        long number = first >>> Long.numberOfTrailingZeros(bytes);
        long hash = number + pasid * 31L + (Long.numberOfTrailingZeros(bytes) - SMALLEST) * 7L;
        return (int) (hash & places.length() - 1);
    }
}
