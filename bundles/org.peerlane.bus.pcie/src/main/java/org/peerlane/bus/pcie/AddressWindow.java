package org.peerlane.bus.pcie;

import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A run of addresses below 2^63 from which BARs get theirs, aligned to their size.
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class AddressWindow {
    private final long first;
    private final long last;

    /** First to last address of what is taken. */
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    AddressWindow(long first, long last) {
        this.first = first;
        this.last = last;
    }

    /** Keeps addresses out of the window's hands, such as RAM. */
    void reserve(long from, long to) {
        if (from >= 0 && to >= from) {
            taken.merge(from, to, Math::max);
        }
    }

    /**
     * {@return the lowest free address that fits}
     *
     * @param bytes a power of two
     */
    OptionalLong allocate(long bytes) {
        long base = align(first, bytes);
        for (Map.Entry<Long, Long> run : taken.entrySet()) {
            if (run.getKey() > base + (bytes - 1)) {
                break;
            }
            if (run.getValue() >= base) {
                base = align(run.getValue() + 1, bytes);
            }
        }
        long end = base + (bytes - 1);
        if (base < first || end < base || end > last) {
            return OptionalLong.empty();
        }
        taken.put(base, end);
        return OptionalLong.of(base);
    }

    void free(long base) {
        taken.remove(base);
    }

    boolean contains(long base) {
        return first <= base && base <= last;
    }

    private static long align(long address, long bytes) {
        return address + (bytes - 1) & -bytes;
    }
}
