package org.peerlane.kernel.api;

/**
 * An address on a PCIe bus: what a BAR register holds and what routes a memory request. A host
 * bridge may add an offset between it and the physical address.
 *
 * @param value the bits, unsigned
 */
public record BusAddress(long value) implements Address<BusAddress> {
    @Override
    public BusAddress withValue(long other) {
        return new BusAddress(other);
    }

    @Override
    public String toString() {
        return "bus 0x%x".formatted(value);
    }
}
