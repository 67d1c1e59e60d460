package org.peerlane.tests.fabric;

import org.peerlane.bus.api.PcieFunction;

/**
 * All registers of a function as they were, for giving them back after anything: what software does
 * that has kept a dump. Kernel counterpart: {@code pci_save_state} and {@code pci_restore_state},
 * which know each register; this one writes all dwords, the command register last.
 */
final class ConfigSpace {
    private static final int BYTES = 4096;
    private static final int POWER_ID = 0x01;
    private static final int POWER_CONTROL = 4;

    private final int power;
    private final long[] dwords = new long[BYTES / 4];

    ConfigSpace(PcieFunction function) {
        power = Registers.capability(function, POWER_ID);
        for (int i = 0; i < dwords.length; i++) {
            dwords[i] = function.readConfig(4 * i, 4);
        }
    }

    /** Brings the function back to D0. Where the register is was found out before. */
    void powerOn(PcieFunction function) {
        if (power != 0) {
            function.writeConfig(power + POWER_CONTROL, 2, 0);
        }
    }

    /** Gives everything back. */
    void restore(PcieFunction function) {
        powerOn(function);
        for (int i = 0; i < dwords.length; i++) {
            if (i != 1) {
                function.writeConfig(4 * i, 4, dwords[i]);
            }
        }
        function.writeConfig(Registers.COMMAND, 2, dwords[1] & 0xFFFF);
    }
}
