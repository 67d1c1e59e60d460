package org.peerlane.memory.api;

import java.lang.foreign.MemorySegment;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;

/**
 * A run of physical addresses that behaves like memory, and the one segment behind it.
 *
 * <p><b>Life.</b> As long as whoever provides it; the segment closes with the provider. Devices and
 * the bus use the segment itself; nobody keeps it past the provider's life.
 *
 * @param name for {@code mem:map}, such as {@code ram0}
 * @param range where it is
 * @param segment its bytes; as long as the range
 */
public record MemoryRegion(
        String name, AddressRange<PhysicalAddress> range, MemorySegment segment) {

    /**
     * @throws IllegalArgumentException the segment is shorter or longer than the range
     */
    public MemoryRegion {
        if (segment.byteSize() != range.bytes()) {
            throw new IllegalArgumentException(
                    "region %s: segment of %d bytes for %s"
                            .formatted(name, segment.byteSize(), range));
        }
    }
}
