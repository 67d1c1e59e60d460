package org.peerlane.bus.pcie.config;

/** A function's way out for message-signalled interrupts. */
@FunctionalInterface
public interface Messages {
    /**
     * Writes four bytes in the function's name (PC-30).
     *
     * <p><b>Threads.</b> Any: the one that raised or unmasked. <b>Cost.</b> None of its caller's.
     *
     * @return a {@link org.peerlane.bus.api.DmaResult} status
     */
    int send(long address, int data);
}
