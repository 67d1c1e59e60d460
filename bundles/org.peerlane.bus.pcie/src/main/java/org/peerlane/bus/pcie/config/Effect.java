package org.peerlane.bus.pcie.config;

/**
 * What a write to config space has changed that others must act on, as bits of an int: 0 is
 * nothing. The bus looks at the bits it knows after each write.
 */
public final class Effect {
    /** Which BARs decode, or where. */
    public static final int DECODE = 1;

    /** Whether the function may send requests. */
    public static final int MASTER = 1 << 1;

    /** MSI or MSI-X: enable, mask, address; a pending message may go now. */
    public static final int MESSAGES = 1 << 2;

    /** INTx may have to be asserted or deasserted: see {@link Intx#update}. */
    public static final int INTX = 1 << 3;

    /** A function-level reset must be done: {@link org.peerlane.bus.api.ResetKind#FLR}. */
    public static final int FLR = 1 << 4;

    /** Back from D3hot without No_Soft_Reset: {@link org.peerlane.bus.api.ResetKind#POWER}. */
    public static final int POWER_RESET = 1 << 5;

    /** The power state. */
    public static final int POWER = 1 << 6;

    /** A bridge's windows or bus numbers. */
    public static final int WINDOWS = 1 << 7;

    /** Secondary bus reset has been set or cleared: {@link BridgeHeader#secondaryReset}. */
    public static final int SECONDARY_RESET = 1 << 8;

    /** The link below has been disabled or enabled, has lost power or got it, or shall retrain. */
    public static final int LINK = 1 << 9;

    /** A slot's indicators or power: see {@link Slot}. */
    public static final int SLOT = 1 << 10;

    /** Software has switched the slot off: what is in it may go (PC-70). */
    public static final int EJECT = 1 << 16;

    /** The slot's interrupt condition may have changed: {@link Slot#interrupts}. */
    public static final int SLOT_INTERRUPT = 1 << 11;

    /** Access control: which peer requests go where. */
    public static final int ACS = 1 << 12;

    /** ATS, PRI or PASID control. */
    public static final int TRANSLATION = 1 << 13;

    /** Virtual functions come, go or decode elsewhere. */
    public static final int VIRTUAL_FUNCTIONS = 1 << 14;

    /** A root port's error interrupt may have changed. */
    public static final int ERRORS = 1 << 15;

    private Effect() {}
}
