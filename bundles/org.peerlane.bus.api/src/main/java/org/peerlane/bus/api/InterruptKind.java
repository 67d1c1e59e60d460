package org.peerlane.bus.api;

/** The ways that a function may have to interrupt. */
public enum InterruptKind {
    /** A line of INTx, one level, shared with others. */
    INTX,
    /** Messages of the MSI capability. */
    MSI,
    /** Messages of the MSI-X capability, each with an entry of its own in a table. */
    MSIX
}
