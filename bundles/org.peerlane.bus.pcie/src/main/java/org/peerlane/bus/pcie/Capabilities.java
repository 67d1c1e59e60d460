package org.peerlane.bus.pcie;

/** Finds capabilities as software does: by walking the lists, with a bound (PC-21, PC-22). */
final class Capabilities {
    private static final int POINTER = 0x34;
    private static final int EXTENDED = 0x100;
    private static final int MOST_LEGACY = 48;
    private static final int MOST_EXTENDED = (4096 - 256) / 8;

    /** A config read. */
    @FunctionalInterface
    interface Reader {
        /** {@return the value, or all-ones} */
        long read(int bus, int number, int offset, int bytes);
    }

    private Capabilities() {}

    /** {@return where a legacy capability is, or 0} */
    static int legacy(Reader config, int bus, int number, int id) {
        int at = (int) config.read(bus, number, POINTER, 1) & 0xFC;
        for (int i = 0; i < MOST_LEGACY && at >= 0x40; i++) {
            int header = (int) config.read(bus, number, at, 2);
            if ((header & 0xFF) == id) {
                return at;
            }
            at = header >>> 8 & 0xFC;
        }
        return 0;
    }

    /** {@return where an extended capability is, or 0} */
    static int extended(Reader config, int bus, int number, int id) {
        int at = EXTENDED;
        for (int i = 0; i < MOST_EXTENDED && at >= EXTENDED; i++) {
            long header = config.read(bus, number, at, 4);
            if (header == 0xFFFF_FFFFL || header == 0) {
                return 0;
            }
            if ((header & 0xFFFF) == id) {
                return at;
            }
            at = (int) (header >>> 20) & 0xFFC;
        }
        return 0;
    }

    /** {@return where a function's own extended capability is, or 0} */
    static int extended(BusFunction function, int id) {
        return extended((b, n, offset, bytes) -> function.readConfig(offset, bytes), 0, 0, id);
    }

    /** {@return where a function's own legacy capability is, or 0} */
    static int legacy(BusFunction function, int id) {
        return legacy((b, n, offset, bytes) -> function.readConfig(offset, bytes), 0, 0, id);
    }
}
