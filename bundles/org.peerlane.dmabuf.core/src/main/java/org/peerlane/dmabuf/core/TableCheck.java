package org.peerlane.dmabuf.core;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.peerlane.iommu.api.SgTable;

/** Looks at what an exporter made, and copies it. <b>Threads.</b> Any; no state. */
final class TableCheck {
    private static final long PAGE = 4096;

    /** What a copy has in the place of the maker's own data. */
    private static final Object NOBODY = new Object();

    private TableCheck() {}

    /** {@return addresses and lengths alone (DB-39)} */
    static SgTable copy(SgTable table) {
        long[] addresses = new long[table.size()];
        long[] lengths = new long[addresses.length];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = table.address(i);
            lengths[i] = table.length(i);
        }
        return new SgTable(addresses, lengths, NOBODY);
    }

    /** {@return what is wrong with a table for a buffer of {@code bytes}, or null} */
    static @Nullable String mistake(SgTable table, long bytes) {
        if (table.size() == 0) {
            return "a table without an entry";
        }
        if (table.bytes() != bytes) {
            return "a table of %#x bytes for a buffer of %#x".formatted(table.bytes(), bytes);
        }
        for (int i = 0; i < table.size(); i++) {
            long last = table.address(i) + table.length(i) - 1;
            if (Long.compareUnsigned(last, table.address(i)) < 0) {
                return "entry %d at %#x with %#x bytes, past the end of the address space"
                        .formatted(i, table.address(i), table.length(i));
            }
        }
        return overlap(table);
    }

    private static @Nullable String overlap(SgTable table) {
        boolean rising = true;
        for (int i = 1; i < table.size() && rising; i++) {
            rising =
                    Long.compareUnsigned(
                                    table.address(i - 1) + table.length(i - 1), table.address(i))
                            <= 0;
        }
        if (rising) {
            return null;
        }
        Integer[] order = IntStream.range(0, table.size()).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparing(table::address, Long::compareUnsigned));
        for (int i = 1; i < order.length; i++) {
            int below = order[i - 1];
            if (Long.compareUnsigned(
                            table.address(below) + table.length(below), table.address(order[i]))
                    > 0) {
                return "entries %d and %d, which overlap at %#x"
                        .formatted(below, order[i], table.address(order[i]));
            }
        }
        return null;
    }

    /** {@return the first entry that is not whole pages (DB-40), or -1} */
    static int oddEntry(SgTable table) {
        for (int i = 0; i < table.size(); i++) {
            if ((table.address(i) | table.length(i)) % PAGE != 0) {
                return i;
            }
        }
        return -1;
    }
}
