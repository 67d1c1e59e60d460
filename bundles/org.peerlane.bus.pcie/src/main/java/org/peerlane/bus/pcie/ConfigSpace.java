package org.peerlane.bus.pcie;

/**
 * The 4096 bytes of a function's config space, with a mask of writable and one of write-1-to-clear
 * bits for each byte (PC-6):
 *
 * <pre>v' = ((v &amp; ~wm) | (x &amp; wm)) &amp; ~(x &amp; w1c)</pre>
 *
 * <p><b>Locks.</b> None of its own: the function's config lock guards it.
 */
final class ConfigSpace {
    static final int BYTES = 4096;

    private final byte[] values = new byte[BYTES];
    private final byte[] writable = new byte[BYTES];
    private final byte[] clearable = new byte[BYTES];

    /** {@return whether an access stays inside one dword and inside config space (PC-3)} */
    static boolean isAccess(int offset, int bytes) {
        return offset >= 0
                && offset < BYTES
                && (bytes == 1 || bytes == 2 || bytes == 4)
                && (offset & 3) + bytes <= 4;
    }

    /**
     * Defines bits, for whoever lays the space out: value, and what software may write or clear.
     */
    void define(int offset, int bytes, long value, long writeMask, long clearMask) {
        assert (writeMask & clearMask) == 0 : "bits both writable and cleared at " + offset;
        for (int i = 0; i < bytes; i++) {
            values[offset + i] = (byte) (value >>> (8 * i));
            writable[offset + i] = (byte) (writeMask >>> (8 * i));
            clearable[offset + i] = (byte) (clearMask >>> (8 * i));
        }
    }

    /** {@return the bytes, little-endian} */
    long get(int offset, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | values[offset + i] & 0xFF;
        }
        return value;
    }

    /** Sets bytes, as the function itself may. */
    void set(int offset, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            values[offset + i] = (byte) (value >>> (8 * i));
        }
    }

    /** Software writes. */
    void write(int offset, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            int at = offset + i;
            int x = (int) (value >>> (8 * i));
            values[at] =
                    (byte)
                            (((values[at] & ~writable[at]) | (x & writable[at]))
                                    & ~(x & clearable[at]));
        }
    }
}
