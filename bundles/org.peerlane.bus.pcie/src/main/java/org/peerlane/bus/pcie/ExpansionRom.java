package org.peerlane.bus.pcie;

/**
 * The register of an expansion ROM, as the operating system sizes and places it: with its enable
 * bit off, which whoever wants to read the ROM sets (PC-18).
 *
 * <p><b>Threads.</b> The life-cycle thread only.
 */
final class ExpansionRom {
    static final int REGISTER = 0x30;
    static final int ENABLE = 1;

    private static final long ALL = 0xFFFF_FFFFL;
    private static final long ADDRESS = 0xFFFF_F800L;

    private ExpansionRom() {}

    /** {@return how long the ROM is; 0: there is none} */
    static long size(Endpoint function) {
        function.writeConfig(REGISTER, 4, ADDRESS);
        long value = function.readConfig(REGISTER, 4);
        return value == ALL ? 0 : -(value & ADDRESS) & ALL; // all-ones: it cannot be reached
    }
}
