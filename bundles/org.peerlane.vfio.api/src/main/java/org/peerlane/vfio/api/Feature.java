package org.peerlane.vfio.api;

/** Numbers and bits of VFIO_DEVICE_FEATURE. */
public final class Feature {
    /** Which bits are the number. */
    public static final int MASK = 0xFFFF;

    /** It is asked for. */
    public static final int GET = 1 << 16;

    /** It is set. */
    public static final int SET = 1 << 17;

    /** Nothing is done but to look whether it could be. */
    public static final int PROBE = 1 << 18;

    /** Runtime power management: low power, without a way to be woken. */
    public static final int LOW_POWER_ENTRY = 3;

    /** Runtime power management: back from low power. */
    public static final int LOW_POWER_EXIT = 5;

    /** A BAR as a buffer. */
    public static final int DMA_BUF = 11;

    /** A buffer is taken away for good. */
    public static final int DMA_BUF_REVOKE = 13;

    private Feature() {}
}
