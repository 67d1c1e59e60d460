package org.peerlane.bus.pcie;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What a board says of a host bridge.
 *
 * @param name such as {@code pc}
 * @param segment 16 bits
 * @param firstBus number of its root bus
 * @param lastBus the highest number its buses may have
 * @param lowFirst first physical address below 4 GiB that it passes on
 * @param lowLast last of them
 * @param highFirst first physical address above 4 GiB that it passes on
 * @param highLast last of them
 * @param ioFirst first port of I/O space that it passes on
 * @param ioLast last of them; below the first: it passes none
 * @param ecamBase physical address of the config space of its first bus; whole MiB
 * @param busOffset address on the bus minus physical address
 * @param p2pForwarding whether it passes requests of devices on to devices (PC-49)
 * @param listed whether the operating system knows that it does (PP-3)
 * @param sameOnly known for devices that are both below it only
 */
public record HostBridgeConfig(
        String name,
        int segment,
        int firstBus,
        int lastBus,
        long lowFirst,
        long lowLast,
        long highFirst,
        long highLast,
        long ioFirst,
        long ioLast,
        long ecamBase,
        long busOffset,
        boolean p2pForwarding,
        boolean listed,
        boolean sameOnly) {

    /** The host bridge of a board that names none. */
    public static final HostBridgeConfig DEFAULT =
            new HostBridgeConfig(
                    "pc",
                    0,
                    0,
                    0xFF,
                    0xC000_0000L,
                    0xFEBF_FFFFL,
                    0x80_0000_0000L,
                    0x3FFF_FFFF_FFFFL,
                    0x1000,
                    0xFFFF,
                    0x7F_E000_0000L,
                    0,
                    true,
                    true,
                    false);

    /**
     * @throws ErrnoException {@code EINVAL} a value out of its range
     */
    public HostBridgeConfig {
        if (segment < 0 || segment > 0xFFFF) {
            throw wrong(name, "segment 0x%x; expected 0 to 0xffff".formatted(segment));
        }
        if (firstBus < 0 || lastBus > 0xFF || firstBus > lastBus) {
            throw wrong(
                    name, "buses 0x%x to 0x%x; expected 0 to 0xff".formatted(firstBus, lastBus));
        }
        if (ecamBase <= 0 || (ecamBase & 0xF_FFFF) != 0) {
            throw wrong(name, "ECAM at 0x%x; expected whole MiB".formatted(ecamBase));
        }
        check(name, "below 4 GiB", lowFirst, lowLast, 0xFFFF_FFFFL);
        check(name, "above 4 GiB", highFirst, highLast, Long.MAX_VALUE);
        if (ioFirst < 0 || ioLast > 0xFFFF_FFFFL || (ioFirst & 0xFFF) != 0) {
            throw wrong(
                    name,
                    "I/O ports from 0x%x to 0x%x; expected whole 4 KiB of 32 bits"
                            .formatted(ioFirst, ioLast));
        }
    }

    /** One that passes no I/O ports on. */
    public HostBridgeConfig(
            String name,
            int segment,
            int firstBus,
            int lastBus,
            long lowFirst,
            long lowLast,
            long highFirst,
            long highLast,
            long ecamBase,
            long busOffset,
            boolean p2pForwarding,
            boolean listed,
            boolean sameOnly) {
        this(
                name,
                segment,
                firstBus,
                lastBus,
                lowFirst,
                lowLast,
                highFirst,
                highLast,
                0,
                -1,
                ecamBase,
                busOffset,
                p2pForwarding,
                listed,
                sameOnly);
    }

    private static void check(String name, String where, long first, long last, long most) {
        if (first <= 0 || last < first || last > most || (first & 0xF_FFFF) != 0) {
            throw wrong(
                    name,
                    "window %s from 0x%x to 0x%x; expected whole MiB, rising, to 0x%x"
                            .formatted(where, first, last, most));
        }
    }

    private static ErrnoException wrong(String name, String sentence) {
        return new ErrnoException(Errno.EINVAL, "host bridge %s has %s".formatted(name, sentence));
    }
}
