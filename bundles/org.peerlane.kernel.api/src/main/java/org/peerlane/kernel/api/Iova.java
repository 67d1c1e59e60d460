package org.peerlane.kernel.api;

/**
 * An I/O virtual address: what a device puts on the bus when an IOMMU translates for it.
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
        return "iova 0x%x".formatted(value);
    }
}
