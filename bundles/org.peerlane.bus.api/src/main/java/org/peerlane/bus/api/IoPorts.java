package org.peerlane.bus.api;

/**
 * A run of ports in I/O space, as {@link PcieBus#in} and {@link PcieBus#out} name them. No memory
 * addresses: the same numbers mean something else there.
 *
 * @param first the lowest
 * @param count how many, one byte each
 */
public record IoPorts(long first, int count) {
    private static final long MOST = 0xFFFF_FFFFL;

    /**
     * @throws IllegalArgumentException none, or not all of 32 bits
     */
    public IoPorts {
        if (count < 1 || first < 0 || first > MOST - (count - 1)) {
            throw new IllegalArgumentException(
                    "%d ports from 0x%x; expected at least one, of 32 bits"
                            .formatted(count, first));
        }
    }

    /** {@return the highest} */
    public long last() {
        return first + count - 1;
    }
}
