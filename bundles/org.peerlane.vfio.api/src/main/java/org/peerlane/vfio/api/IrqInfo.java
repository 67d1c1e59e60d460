package org.peerlane.vfio.api;

/**
 * What VFIO_DEVICE_GET_IRQ_INFO answers.
 *
 * @param index which kind
 * @param flags {@link #EVENTFD} and the like
 * @param count how many vectors; 0: it has none of this kind
 */
public record IrqInfo(int index, int flags, int count) {
    /** The line. */
    public static final int INTX = 0;

    /** Messages of MSI. */
    public static final int MSI = 1;

    /** Messages of MSI-X. */
    public static final int MSIX = 2;

    /** An uncorrectable error of the function. */
    public static final int ERR = 3;

    /** The function is wanted back. */
    public static final int REQ = 4;

    /** It signals an eventfd. */
    public static final int EVENTFD = 1;

    /** It can be masked. */
    public static final int MASKABLE = 2;

    /** It is masked when it comes, until it is unmasked. */
    public static final int AUTOMASKED = 4;

    /** All vectors are set up at once. */
    public static final int NORESIZE = 8;
}
