package org.peerlane.tests.fabric;

import org.peerlane.bus.api.PcieFunction;

/** Registers of config space, as software finds them. */
final class Registers {
    static final int COMMAND = 0x04;
    static final int MEMORY = 1 << 1;
    static final int MASTER = 1 << 2;
    static final int BAR0 = 0x10;
    static final int MEMORY_WINDOW = 0x20;
    static final int PREFETCH_WINDOW = 0x24;
    static final int BRIDGE_CONTROL = 0x3E;
    static final int SECONDARY_RESET = 1 << 6;
    private static final int EXPRESS_ID = 0x10;
    private static final int ACS_ID = 0x0D;
    private static final int FLR = 1 << 15;

    private Registers() {}

    /** {@return where a capability is; 0: nowhere} */
    static int capability(PcieFunction function, int id) {
        int at = (int) function.readConfig(0x34, 1);
        for (int i = 0; i < 48 && at != 0; i++) {
            if (function.readConfig(at, 1) == id) {
                return at;
            }
            at = (int) function.readConfig(at + 1, 1);
        }
        return 0;
    }

    /** {@return where an extended capability is; 0: nowhere} */
    static int extended(PcieFunction function, int id) {
        int at = 0x100;
        for (int i = 0; i < 480 && at != 0; i++) {
            long header = function.readConfig(at, 4);
            if ((header & 0xFFFF) == id) {
                return at;
            }
            at = (int) (header >>> 20);
        }
        return 0;
    }

    /** Function-level reset. */
    static void reset(PcieFunction function) {
        int control = capability(function, EXPRESS_ID) + 8;
        function.writeConfig(control, 2, function.readConfig(control, 2) | FLR);
    }

    /** Secondary bus reset of what is below a port. */
    static void resetBelow(PcieFunction port) {
        long control = port.readConfig(BRIDGE_CONTROL, 2);
        port.writeConfig(BRIDGE_CONTROL, 2, control | SECONDARY_RESET);
        port.writeConfig(BRIDGE_CONTROL, 2, control & ~SECONDARY_RESET);
    }

    /** Programs the ACS control of a port. */
    static void acs(PcieFunction port, int bits) {
        port.writeConfig(extended(port, ACS_ID) + 6, 2, bits);
    }

    /** {@return the base of a 64-bit BAR} */
    static long base(PcieFunction function, int bar) {
        int at = BAR0 + bar * 4;
        return function.readConfig(at, 4) & ~0xFL | function.readConfig(at + 4, 4) << 32;
    }
}
