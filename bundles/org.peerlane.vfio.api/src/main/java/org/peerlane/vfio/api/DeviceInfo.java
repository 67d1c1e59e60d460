package org.peerlane.vfio.api;

/**
 * What VFIO_DEVICE_GET_INFO answers.
 *
 * @param flags {@link #RESET} and {@link #PCI}
 * @param regions how many
 * @param irqs how many kinds of interrupts
 */
public record DeviceInfo(int flags, int regions, int irqs) {
    /** It can be reset alone. */
    public static final int RESET = 1;

    /** It is a PCI function. */
    public static final int PCI = 2;
}
