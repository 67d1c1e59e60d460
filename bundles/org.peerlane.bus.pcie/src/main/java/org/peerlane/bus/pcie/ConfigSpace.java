package org.peerlane.bus.pcie;

/**
 * The 4096 bytes of one function's config space, each bit read-only, writable, or cleared by
 * writing 1 (PC-6). Knows nothing of what the bytes mean.
 *
 * <p><b>Threads.</b> None of its own; whoever holds the function's lock.
 */
final class ConfigSpace {
    static final int BYTES = 4096;

    private final byte[] value = new byte[BYTES];
    private final byte[] reset = new byte[BYTES];
    private final byte[] writable = new byte[BYTES];
    private final byte[] clearable = new byte[BYTES];

    /** {@return whether an access is one that config space takes: inside one dword (PC-3)} */
    static boolean takes(int offset, int bytes) {
        return (bytes == 1 || bytes == 2 || bytes == 4)
                && offset >= 0
                && offset < BYTES
                && (offset & 3) + bytes <= 4;
    }

    /** {@return all-ones of a width: what an absent function answers} */
    static long ones(int bytes) {
        return bytes >= 8 ? -1 : (1L << bytes * 8) - 1;
    }

    /** Defines a field: its reset value and which of its bits software changes, and how. */
    void define(int offset, int bytes, long resetValue, long writeMask, long clearMask) {
        if ((writeMask & clearMask) != 0) {
            throw new IllegalArgumentException(
                    "config 0x%x: a bit is both writable and cleared by 1".formatted(offset));
        }
        for (int i = 0; i < bytes; i++) {
            reset[offset + i] = (byte) (resetValue >>> i * 8);
            value[offset + i] = reset[offset + i];
            writable[offset + i] = (byte) (writeMask >>> i * 8);
            clearable[offset + i] = (byte) (clearMask >>> i * 8);
        }
    }

    /** Defines a field that software only reads. */
    void define(int offset, int bytes, long resetValue) {
        define(offset, bytes, resetValue, 0, 0);
    }

    long get(int offset, int bytes) {
        long all = 0;
        for (int i = 0; i < bytes; i++) {
            all |= (value[offset + i] & 0xFFL) << i * 8;
        }
        return all;
    }

    /** A change by the hardware: the masks do not apply. */
    void set(int offset, int bytes, long all) {
        for (int i = 0; i < bytes; i++) {
            value[offset + i] = (byte) (all >>> i * 8);
        }
    }

    /** A write by software. */
    void write(int offset, int bytes, long written) {
        for (int i = 0; i < bytes; i++) {
            int at = offset + i;
            int x = (int) (written >>> i * 8);
            int kept = value[at] & ~writable[at] | x & writable[at];
            value[at] = (byte) (kept & ~(x & clearable[at]));
        }
    }

    /** Everything as {@link #define} said. */
    void reset() {
        System.arraycopy(reset, 0, value, 0, BYTES);
    }
}
