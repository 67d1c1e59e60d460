package org.peerlane.bus.api;

/** Capabilities that a function may have in its config space. */
public enum Capability {
    /** Power management: D0 and D3hot. */
    POWER_MANAGEMENT,
    /** PCI Express endpoint. */
    EXPRESS,
    /** Function-level reset; needs {@link #EXPRESS}. */
    FUNCTION_LEVEL_RESET
}
