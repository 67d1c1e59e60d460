package org.peerlane.iommu.api;

import java.util.List;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * The DMA side of a scatter list: addresses and lengths for one function, never a page and never a
 * segment. Kernel counterpart: {@code struct sg_table} with {@code orig_nents} 0 (P2-7).
 *
 * <p><b>Life.</b> Until {@link DmaDevice#unmap(SgTable)}. <b>Threads.</b> Immutable.
 */
public final class SgTable {
    /** The longest entry, in bytes (P2-7). */
    public static final long MAX_LENGTH = 0xFFFF_FFFFL;

    private final long[] addresses;
    private final long[] lengths;
    private final long bytes;

    /** Opaque to all but the DMA API that made it. */
    private final Object origin;

    /**
     * For a DMA API only.
     *
     * @param addresses kept, not copied
     * @param lengths kept, not copied; 1 to {@link #MAX_LENGTH} each
     * @param origin what the maker needs to unmap it
     * @throws IllegalArgumentException the arrays differ in length, or a length is out of its range
     */
    public SgTable(long[] addresses, long[] lengths, Object origin) {
        if (addresses.length != lengths.length) {
            throw new IllegalArgumentException(
                    addresses.length + " addresses, " + lengths.length + " lengths");
        }
        long sum = 0;
        for (long length : lengths) {
            if (length < 1 || length > MAX_LENGTH) {
                throw new IllegalArgumentException("an entry of " + length + " bytes");
            }
            sum += length;
        }
        this.addresses = addresses;
        this.lengths = lengths;
        this.origin = origin;
        bytes = sum;
    }

    /**
     * {@return a table of physical addresses, for who has none of his own: a pseudo device, for
     * which memory is where it is} There is nothing to unmap.
     *
     * @param ranges in order
     * @param origin whose memory it is
     */
    public static SgTable ofPhysical(List<AddressRange<PhysicalAddress>> ranges, Object origin) {
        long[] addresses = new long[ranges.size()];
        long[] lengths = new long[ranges.size()];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = ranges.get(i).first().value();
            lengths[i] = ranges.get(i).bytes();
        }
        return new SgTable(addresses, lengths, origin);
    }

    /** {@return how many entries there are} */
    public int size() {
        return addresses.length;
    }

    /** {@return the DMA address of an entry} */
    public long address(int index) {
        return addresses[index];
    }

    /** {@return the bytes of an entry, at most 2^32-1} */
    public long length(int index) {
        return lengths[index];
    }

    /** {@return the bytes of all entries} */
    public long bytes() {
        return bytes;
    }

    /** {@return what the maker gave} */
    public Object origin() {
        return origin;
    }
}
