package org.peerlane.bus.pcie;

import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;

/**
 * What a board says of a root port or a switch.
 *
 * @param name such as {@code rp0}; a switch's downstream ports are {@code NAME.0} and so on
 * @param at of a root port its PCIe address, such as {@code 00:01.0}; of a switch the name of the
 *     port that it is plugged into
 * @param downstreamPorts of a switch how many, 1 to 32; 0: a root port
 * @param hotplug its slots are hot-plug capable
 * @param acs its ports have ACS
 * @param busReserve bus numbers that each of its ports keeps free below it, for virtual functions
 * @param ioBits how wide the I/O windows of its ports are: 32, 16, or 0: they have none
 * @param memoryReserve bytes below 4 GiB that each of its hot-plug slots has at least
 * @param prefetchReserve bytes above 4 GiB that each of its hot-plug slots has at least
 */
public record PortConfig(
        String name,
        String at,
        int downstreamPorts,
        boolean hotplug,
        boolean acs,
        int busReserve,
        int ioBits,
        long memoryReserve,
        long prefetchReserve) {
    /** What a hot-plug slot has if the board says nothing, below and above 4 GiB: as in Linux. */
    public static final int RESERVE_MIB = 2;

    private static final long USUAL = (long) RESERVE_MIB << 20;
    private static final long MOST_RESERVE = 1L << 50;

    /**
     * @throws ErrnoException {@code EINVAL} the number of ports, of buses or of bits, or the bytes
     */
    public PortConfig {
        if (downstreamPorts < 0 || downstreamPorts > 32) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "switch %s has %d downstream ports; expected 1 to 32"
                            .formatted(name, downstreamPorts));
        }
        if (busReserve < 0 || busReserve > 0xFE) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "port %s keeps %d bus numbers free; expected 0 to 254"
                            .formatted(name, busReserve));
        }
        if (ioBits != 0 && ioBits != 16 && ioBits != 32) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "port %s has an I/O window of %d bits; expected 0, 16 or 32"
                            .formatted(name, ioBits));
        }
        check(name, "below", memoryReserve);
        check(name, "above", prefetchReserve);
    }

    private static void check(String name, String where, long reserve) {
        if (reserve < 0 || reserve > MOST_RESERVE) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "port %s keeps 0x%x bytes %s 4 GiB free; expected 0 to 0x%x"
                            .formatted(name, reserve, where, MOST_RESERVE));
        }
    }

    /** One whose I/O windows are 32 bits wide. */
    public PortConfig(
            String name,
            String at,
            int downstreamPorts,
            boolean hotplug,
            boolean acs,
            int busReserve,
            long memoryReserve,
            long prefetchReserve) {
        this(
                name,
                at,
                downstreamPorts,
                hotplug,
                acs,
                busReserve,
                32,
                memoryReserve,
                prefetchReserve);
    }

    /** One whose slots have as many addresses as usual. */
    public PortConfig(
            String name,
            String at,
            int downstreamPorts,
            boolean hotplug,
            boolean acs,
            int busReserve,
            int ioBits) {
        this(name, at, downstreamPorts, hotplug, acs, busReserve, ioBits, USUAL, USUAL);
    }

    /** One that keeps no bus numbers free; its I/O windows are 32 bits wide. */
    public PortConfig(String name, String at, int downstreamPorts, boolean hotplug, boolean acs) {
        this(name, at, downstreamPorts, hotplug, acs, 0, 32);
    }

    /** One whose I/O windows are 32 bits wide. */
    public PortConfig(
            String name,
            String at,
            int downstreamPorts,
            boolean hotplug,
            boolean acs,
            int busReserve) {
        this(name, at, downstreamPorts, hotplug, acs, busReserve, 32);
    }

    boolean isSwitch() {
        return downstreamPorts > 0;
    }
}
