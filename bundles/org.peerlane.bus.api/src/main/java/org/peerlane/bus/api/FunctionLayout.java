package org.peerlane.bus.api;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a function looks like from outside: identity, BARs, interrupts. The bus makes config space
 * of it.
 *
 * @param vendorId 16 bits
 * @param deviceId 16 bits
 * @param revision 8 bits
 * @param classCode base class, sub-class, programming interface: 24 bits
 * @param subsystemVendorId 16 bits
 * @param subsystemId 16 bits
 * @param bars the BARs it has, by rising index
 * @param msiVectors vectors of the MSI capability, a power of two to 32; 0: no MSI
 */
public record FunctionLayout(
        int vendorId,
        int deviceId,
        int revision,
        int classCode,
        int subsystemVendorId,
        int subsystemId,
        List<BarLayout> bars,
        int msiVectors) {

    /**
     * @throws IllegalArgumentException a value out of its range, or BARs that overlap in the
     *     registers (PC-13, PC-15)
     */
    public FunctionLayout {
        check("vendor id", vendorId, 1, 0xFFFE);
        check("device id", deviceId, 0, 0xFFFF);
        check("revision", revision, 0, 0xFF);
        check("class code", classCode, 0, 0xFFFFFF);
        check("subsystem vendor id", subsystemVendorId, 0, 0xFFFF);
        check("subsystem id", subsystemId, 0, 0xFFFF);
        if (msiVectors != 0 && (msiVectors > 32 || Integer.bitCount(msiVectors) != 1)) {
            throw new IllegalArgumentException(
                    msiVectors + " MSI vectors; expected 0, 1, 2, 4, 8, 16 or 32");
        }
        bars = List.copyOf(bars);
        Set<Integer> taken = new HashSet<>();
        for (BarLayout bar : bars) {
            if (!taken.add(bar.index()) || (bar.wide() && !taken.add(bar.index() + 1))) {
                throw new IllegalArgumentException(
                        "BAR %d takes a register of another BAR".formatted(bar.index()));
            }
        }
    }

    private static void check(String what, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(
                    "%s 0x%x; expected 0x%x to 0x%x".formatted(what, value, low, high));
        }
    }
}
