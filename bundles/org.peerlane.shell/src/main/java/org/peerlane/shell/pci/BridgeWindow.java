package org.peerlane.shell.pci;

/**
 * A range of addresses that a bridge forwards downstream; bus addresses.
 *
 * @param first the first
 * @param last the last; below the first: the window is closed
 */
record BridgeWindow(long first, long last) {
    private static final long GRANULE_LAST = 0xF_FFFF;

    /** {@return the window of memory without prefetch, from a type 1 header} */
    static BridgeWindow memory(ConfigView config) {
        return of(config.u16(0x20), config.u16(0x22), 0, 0);
    }

    /** {@return the window of prefetchable memory, from a type 1 header} */
    static BridgeWindow prefetchable(ConfigView config) {
        int base = config.u16(0x24);
        boolean wide = (base & 0xF) == 1;
        return of(base, config.u16(0x26), wide ? config.u32(0x28) : 0, wide ? config.u32(0x2C) : 0);
    }

    private static BridgeWindow of(int base, int limit, long baseUpper, long limitUpper) {
        return new BridgeWindow(
                baseUpper << 32 | (long) (base & 0xFFF0) << 16,
                limitUpper << 32 | (long) (limit & 0xFFF0) << 16 | GRANULE_LAST);
    }

    boolean isOpen() {
        return Long.compareUnsigned(first, last) <= 0;
    }

    long bytes() {
        return last - first + 1;
    }
}
