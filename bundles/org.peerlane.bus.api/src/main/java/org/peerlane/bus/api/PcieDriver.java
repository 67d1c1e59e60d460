package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * A driver. A plugin registers one as a service; the bus offers it each function that has no driver
 * yet. Kernel counterpart: {@code struct pci_driver}.
 *
 * <p><b>Threads.</b> The bus's own life-cycle thread, one call at a time.
 */
@ConsumerType
public interface PcieDriver {
    /**
     * {@return its name, for messages and for {@link PcieBus#overrideDriver}; empty: that of its
     * bundle}
     */
    default String name() {
        return "";
    }

    /**
     * {@return whether this driver drives functions of this kind} Not asked about a function whose
     * driver is overridden by name.
     */
    boolean matches(PcieFunction function);

    /**
     * Takes a function over.
     *
     * @throws org.peerlane.kernel.api.ErrnoException it cannot; the function stays without a driver
     */
    void probe(PcieFunction function);

    /**
     * An uncorrectable error has been reported to the root port, by this function or by one that
     * shares its bus (PC-33). Nothing is done about it. Kernel counterpart: {@code
     * pci_error_handlers.error_detected}.
     *
     * @param fatal the link is not to be trusted
     */
    default void errorDetected(PcieFunction function, boolean fatal) {}

    /**
     * Gives a function back: stops its DMA, ends every request exactly once, frees what it holds.
     * Bus master is still as the driver left it; the bus switches it off afterwards.
     *
     * @param function what {@link #probe} was given
     * @param gone the function is not there any more (surprise removal)
     */
    void remove(PcieFunction function, boolean gone);
}
