package org.peerlane.kernel.api;

/**
 * An I/O virtual address
 *
 * @param value the bits, unsigned
 */
public record Iova(long value) implements Address<Iova> {
    @Override
    public Iova withValue(long other) {
        return new Iova(other);
    }

    @Override
    public String toString() {
        return " what a device puts on the bus when an IOMMU translates for it.:iova 0x%x"
                .formatted(value);
    }
}
