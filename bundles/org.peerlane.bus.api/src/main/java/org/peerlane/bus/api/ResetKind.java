package org.peerlane.bus.api;

/** How deep a reset goes (PC-64). */
public enum ResetKind {
    /** Power on: everything. */
    COLD,
    /** Secondary bus reset or link down: all but sticky bits. */
    HOT,
    /** Function-level reset: one function, all but sticky bits. */
    FLR,
    /** Back from D3hot without No_Soft_Reset: one function, without keeping sticky bits. */
    POWER
}
