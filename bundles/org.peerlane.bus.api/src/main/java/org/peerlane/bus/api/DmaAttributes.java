package org.peerlane.bus.api;

/**
 * What a memory request carries besides its address, packed into an {@code int}.
 *
 * <pre>
 *   31     24 23        22       21          20     19       0
 *  | unused  | no-snoop | relaxed | translated | PASID? | PASID |
 * </pre>
 */
public final class DmaAttributes {
    /** No PASID, untranslated, strictly ordered, snooped. */
    public static final int NONE = 0;

    /** The low bits are a PASID. */
    public static final int HAS_PASID = 1 << 20;

    /** AT=10b: the device has translated the address itself, by ATS. */
    public static final int TRANSLATED = 1 << 21;

    /** Relaxed ordering. */
    public static final int RELAXED = 1 << 22;

    /** No snoop. */
    public static final int NO_SNOOP = 1 << 23;

    private static final int PASID_MASK = (1 << 20) - 1;

    private DmaAttributes() {}

    /**
     * {@return attributes with a PASID}
     *
     * @param pasid 20 bits
     */
    public static int withPasid(int attributes, int pasid) {
        return attributes & ~PASID_MASK | HAS_PASID | pasid & PASID_MASK;
    }

    /** {@return the PASID, or -1 if there is none} */
    public static int pasid(int attributes) {
        return (attributes & HAS_PASID) != 0 ? attributes & PASID_MASK : -1;
    }
}
