package org.peerlane.gpu.api;

/** Where a GPU's buffer lies. Kernel counterpart: the memory types of TTM. */
public enum Placement {
    /** In the card. Behind the BAR only if the BAR reaches that far. */
    VRAM,
    /** In the machine's RAM, at addresses that the card's engine can use. */
    GTT,
    /** In the machine's RAM, out of the engine's reach. */
    SYSTEM
}
