package org.peerlane.iommu.core;

import java.util.Arrays;
import java.util.List;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * Collects the entries of a scatter list: joins what follows on, splits what is longer than an
 * entry may be (P2-7).
 */
final class SgBuilder {
    private long[] addresses = new long[8];
    private long[] lengths = new long[8];
    private int count;

    /** Adds a run as entries of its own. */
    void add(long address, long bytes) {
        long at = address;
        for (long left = bytes; left != 0; ) {
            long length = Math.min(left, SgTable.MAX_LENGTH);
            append(at, length);
            at += length;
            left -= length;
        }
    }

    /** Adds a run; if it follows on the entry before, as a part of that. */
    void join(long address, long bytes) {
        int before = count - 1;
        if (before >= 0
                && addresses[before] + lengths[before] == address
                && lengths[before] + bytes <= SgTable.MAX_LENGTH) {
            lengths[before] += bytes;
        } else {
            add(address, bytes);
        }
    }

    private void append(long address, long length) {
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
        }
        addresses[count] = address;
        lengths[count++] = length;
    }

    SgTable build(Object origin) {
        return new SgTable(Arrays.copyOf(addresses, count), Arrays.copyOf(lengths, count), origin);
    }

    /**
     * Checks the runs of a list.
     *
     * @throws ErrnoException {@code EINVAL} there is none
     */
    static void check(List<AddressRange<PhysicalAddress>> runs) {
        if (runs.isEmpty()) {
            throw new ErrnoException(
                    Errno.EINVAL, "a scatter list with no run; expected 1 or more");
        }
    }
}
