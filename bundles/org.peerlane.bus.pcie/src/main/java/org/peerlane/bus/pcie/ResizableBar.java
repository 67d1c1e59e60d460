package org.peerlane.bus.pcie;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * One entry of the resizable BAR capability, as software reads and writes it (PC-37). Kernel
 * counterpart: {@code pci_rebar_*}.
 *
 * @param function whose BAR it is
 * @param index number of the BAR
 * @param at where the entry is in config space
 */
record ResizableBar(Endpoint function, int index, int at) {
    private static final int CAPABILITY = 0x0015;
    private static final int FIRST = 4;
    private static final int ENTRY = 8;
    private static final int CONTROL = 4;
    private static final int SIZE_SHIFT = 8;
    private static final long SIZE = 0x3F00;
    private static final int SMALLEST_LG2 = 20;
    private static final int OFFERED_SHIFT = 4;

    /**
     * {@return the entry of a BAR}
     *
     * @throws ErrnoException {@code EOPNOTSUPP} there is none
     */
    static ResizableBar of(Endpoint function, int index) {
        int capability = Capabilities.extended(function, CAPABILITY);
        int entries =
                capability == 0
                        ? 0
                        : (int) function.readConfig(capability + FIRST + CONTROL, 4) >>> 5 & 7;
        for (int i = 0; i < entries; i++) {
            int at = capability + FIRST + i * ENTRY;
            if ((function.readConfig(at + CONTROL, 4) & 7) == index) {
                return new ResizableBar(function, index, at);
            }
        }
        throw new ErrnoException(
                Errno.EOPNOTSUPP, "BAR %d of %s has one size only".formatted(index, function));
    }

    /**
     * Refuses what the BAR does not offer.
     *
     * @throws ErrnoException {@code EINVAL} the size; {@code EBUSY} decode is on
     */
    void check(long bytes) {
        long offered = function.readConfig(at, 4) >>> OFFERED_SHIFT << SMALLEST_LG2;
        if (Long.bitCount(bytes) != 1 || (offered & bytes) == 0) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "BAR %d of %s cannot have 0x%x bytes; expected one of the bits of 0x%x"
                            .formatted(index, function, bytes, offered));
        }
        long command = function.readConfig(BusFunction.COMMAND, 2);
        if ((command & BusFunction.COMMAND_MEMORY) != 0) {
            throw new ErrnoException(
                    Errno.EBUSY,
                    "BAR %d of %s cannot change while memory decode is on"
                            .formatted(index, function));
        }
    }

    /** {@return its bytes now} */
    long size() {
        long control = function.readConfig(at + CONTROL, 4);
        int code = (int) ((control & SIZE) >>> SIZE_SHIFT);
        return 1L << code + SMALLEST_LG2;
    }

    void write(long bytes) {
        int code = Long.numberOfTrailingZeros(bytes) - SMALLEST_LG2;
        long control = function.readConfig(at + CONTROL, 4) & ~SIZE;
        function.writeConfig(at + CONTROL, 4, control | (long) code << SIZE_SHIFT);
    }
}
