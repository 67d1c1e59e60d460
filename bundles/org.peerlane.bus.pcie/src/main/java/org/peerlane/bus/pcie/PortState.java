package org.peerlane.bus.pcie;

/**
 * What routing looks at of a port, derived from its config space and published as a whole. A window
 * whose first address is above its last is closed.
 *
 * @param primary number of the bus above
 * @param secondary number of the bus below
 * @param subordinate highest number of a bus below
 * @param memoryFirst first address of the 32-bit window
 * @param memoryLast last address of it
 * @param prefetchFirst first address of the prefetchable window
 * @param prefetchLast last address of it
 * @param ioFirst first port of the I/O window
 * @param ioLast last of them
 * @param io passes I/O requests down: IOSE, D0
 * @param isa of each 1024 ports of the first 64 KiB, passes only the first 256 down
 * @param memory passes memory requests down: MSE, D0
 * @param master passes memory requests up: BME, D0
 * @param link the link below is up and not held in reset
 * @param acs the ACS control bits
 * @param egress the egress control vector
 */
record PortState(
        int primary,
        int secondary,
        int subordinate,
        long memoryFirst,
        long memoryLast,
        long prefetchFirst,
        long prefetchLast,
        long ioFirst,
        long ioLast,
        boolean io,
        boolean isa,
        boolean memory,
        boolean master,
        boolean link,
        int acs,
        long egress) {

    static final int SOURCE_VALIDATION = 1;
    static final int TRANSLATION_BLOCKING = 1 << 1;
    static final int REQUEST_REDIRECT = 1 << 2;
    static final int COMPLETION_REDIRECT = 1 << 3;
    static final int UPSTREAM_FORWARDING = 1 << 4;
    static final int EGRESS_CONTROL = 1 << 5;
    static final int DIRECT_TRANSLATED = 1 << 6;

    /** As after a reset: nothing passes. */
    static final PortState RESET =
            new PortState(0, 0, 0, -1, 0, -1, 0, -1, 0, false, false, false, false, false, 0, 0);

    boolean has(int bit) {
        return (acs & bit) != 0;
    }

    /** {@return whether an address is in one of the open windows} */
    boolean inWindow(long address) {
        return memory
                && (within(address, memoryFirst, memoryLast)
                        || within(address, prefetchFirst, prefetchLast));
    }

    /** {@return whether a port of I/O space is in the open window} */
    boolean inIoWindow(long port) {
        return io
                && within(port, ioFirst, ioLast)
                && !(isa && port < 0x1_0000 && (port & 0x300) != 0);
    }

    /** Narrows a span to the side of the windows where the address is. */
    void bound(long address, Span span) {
        if (memory) {
            if (Long.compareUnsigned(memoryFirst, memoryLast) <= 0) {
                span.bound(address, memoryFirst, memoryLast);
            }
            if (Long.compareUnsigned(prefetchFirst, prefetchLast) <= 0) {
                span.bound(address, prefetchFirst, prefetchLast);
            }
        }
    }

    /** {@return whether a bus is below (PC-40)} */
    boolean leadsTo(int bus) {
        return secondary != 0 && bus >= secondary && bus <= subordinate;
    }

    private static boolean within(long address, long first, long last) {
        return Long.compareUnsigned(address, first) >= 0
                && Long.compareUnsigned(address, last) <= 0;
    }
}
