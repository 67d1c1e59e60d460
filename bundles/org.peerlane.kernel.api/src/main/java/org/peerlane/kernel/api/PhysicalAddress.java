package org.peerlane.kernel.api;

/**
 * An address on the CPU's side of the host bridges: what page tables and the page allocator speak
 * of.
 *
 * @param value the bits, unsigned
 */
public record PhysicalAddress(long value) implements Address<PhysicalAddress> {
    @Override
    public PhysicalAddress withValue(long other) {
        return new PhysicalAddress(other);
    }

    @Override
    public String toString() {
        return "phys 0x%x".formatted(value);
    }
}
