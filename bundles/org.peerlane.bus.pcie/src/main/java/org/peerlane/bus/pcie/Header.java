package org.peerlane.bus.pcie;

import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.Capability;
import org.peerlane.bus.api.FunctionLayout;

/**
 * Lays out config space: the type 0 header (PC-9), its BARs (PC-12 to PC-15), and the capability
 * list from 0x40 on (PC-21). Offsets that are fixed are constants, those of capabilities are
 * fields, 0 where the function has none.
 *
 * <p><b>Source.</b> PCI Express 5.0 sections 7.5.1 (header), 7.5.2 (power management), 7.5.3 (PCI
 * Express), 7.7.1 (MSI); names of {@code pci_regs.h}.
 */
final class Header {
    static final int COMMAND = 0x04;
    static final int STATUS = 0x06;
    static final int BAR0 = 0x10;
    static final int CAPABILITIES = 0x34;

    static final int COMMAND_MEMORY = 1 << 1;
    static final int COMMAND_MASTER = 1 << 2;
    private static final int COMMAND_WRITABLE = 0x0547;
    private static final int STATUS_CAP_LIST = 1 << 4;
    private static final int STATUS_W1C = 0xF900;
    private static final int FIRST_CAPABILITY = 0x40;

    private static final int ID_PM = 0x01;
    private static final int ID_MSI = 0x05;
    private static final int ID_EXPRESS = 0x10;
    static final int PM_CONTROL = 4;
    static final int PM_STATE = 3;
    private static final int PM_NO_SOFT_RESET = 1 << 3;
    static final int EXP_DEVCTL = 8;
    static final int EXP_DEVCTL_FLR = 1 << 15;
    private static final int EXP_BYTES = 0x3C;
    private static final int EXP_DEVCAP_ROLE_ERRORS = 1 << 15;
    private static final int EXP_DEVCAP_FLR = 1 << 28;
    private static final int EXP_DEVCTL_RESET = 1 << 4 | 1 << 11 | 2 << 12;
    static final int MSI_CONTROL = 2;
    static final int MSI_ADDRESS = 4;
    static final int MSI_DATA = 0x0C;
    static final int MSI_MASK = 0x10;
    static final int MSI_PENDING = 0x14;
    private static final int MSI_BYTES = 0x18;
    static final int MSI_ENABLE = 1;
    private static final int MSI_64BIT = 1 << 7;
    private static final int MSI_MASKABLE = 1 << 8;

    private final FunctionLayout layout;
    private int next = FIRST_CAPABILITY;
    private int lastPointer = CAPABILITIES;

    /** Where the capabilities are; 0: the function has it not. */
    final int pm;

    final int express;
    final int msi;

    Header(FunctionLayout layout) {
        this.layout = layout;
        pm = has(Capability.POWER_MANAGEMENT) ? reserve(8) : 0;
        express = has(Capability.EXPRESS) ? reserve(EXP_BYTES) : 0;
        msi = layout.msiVectors() > 0 ? reserve(MSI_BYTES) : 0;
    }

    private boolean has(Capability capability) {
        return layout.capabilities().contains(capability);
    }

    private int reserve(int bytes) {
        int at = next;
        next += bytes + 3 & ~3;
        return at;
    }

    /** Writes the reset state. */
    void layOut(ConfigSpace config) {
        lastPointer = CAPABILITIES;
        config.define(0x00, 2, layout.vendorId(), 0, 0);
        config.define(0x02, 2, layout.deviceId(), 0, 0);
        config.define(COMMAND, 2, 0, COMMAND_WRITABLE, 0);
        config.define(STATUS, 2, next > FIRST_CAPABILITY ? STATUS_CAP_LIST : 0, 0, STATUS_W1C);
        config.define(0x08, 1, layout.revision(), 0, 0);
        config.define(0x09, 3, layout.classCode(), 0, 0);
        config.define(0x0C, 1, 0, 0xFF, 0);
        for (BarLayout bar : layout.bars()) {
            layOutBar(config, bar);
        }
        config.define(0x2C, 2, layout.subsystemVendorId(), 0, 0);
        config.define(0x2E, 2, layout.subsystemId(), 0, 0);
        config.define(CAPABILITIES, 1, 0, 0, 0);
        config.define(0x3C, 1, 0, 0xFF, 0);
        if (pm != 0) {
            layOutPm(config);
        }
        if (express != 0) {
            layOutExpress(config);
        }
        if (msi != 0) {
            layOutMsi(config);
        }
    }

    private static void layOutBar(ConfigSpace config, BarLayout bar) {
        long type = (bar.wide() ? 4 : 0) | (bar.prefetchable() ? 8 : 0);
        long address = -bar.bytes() & ~0xFL;
        config.define(BAR0 + 4 * bar.index(), 4, type, address & 0xFFFF_FFFFL, 0);
        if (bar.wide()) {
            config.define(BAR0 + 4 * bar.index() + 4, 4, 0, address >>> 32, 0);
        }
    }

    private void link(ConfigSpace config, int at, int id) {
        config.define(at, 1, id, 0, 0);
        config.define(at + 1, 1, 0, 0, 0);
        config.define(lastPointer, 1, at, 0, 0);
        lastPointer = at + 1;
    }

    private void layOutPm(ConfigSpace config) {
        link(config, pm, ID_PM);
        config.define(pm + 2, 2, 3, 0, 0); // version 3, neither D1 nor D2
        config.define(pm + PM_CONTROL, 2, 0, PM_STATE, 0);
        assert (PM_NO_SOFT_RESET & PM_STATE) == 0;
    }

    private void layOutExpress(ConfigSpace config) {
        link(config, express, ID_EXPRESS);
        config.define(express + 2, 2, 2, 0, 0); // version 2, endpoint
        long devcap =
                EXP_DEVCAP_ROLE_ERRORS
                        | (has(Capability.FUNCTION_LEVEL_RESET) ? EXP_DEVCAP_FLR : 0);
        config.define(express + 4, 4, devcap, 0, 0);
        config.define(express + EXP_DEVCTL, 2, EXP_DEVCTL_RESET, 0x7FFF, 0);
        config.define(express + 0x0A, 2, 0, 0, 0xF);
        config.define(express + 0x0C, 4, 1 | 1 << 4, 0, 0); // 2.5 GT/s, one lane
        config.define(express + 0x10, 2, 0, 0x03, 0);
        config.define(express + 0x12, 2, 1 | 1 << 4, 0, 0);
    }

    private void layOutMsi(ConfigSpace config) {
        int capable = Integer.numberOfTrailingZeros(layout.msiVectors());
        long vectors = layout.msiVectors() == 32 ? 0xFFFF_FFFFL : (1L << layout.msiVectors()) - 1;
        link(config, msi, ID_MSI);
        config.define(
                msi + MSI_CONTROL,
                2,
                MSI_64BIT | MSI_MASKABLE | capable << 1,
                MSI_ENABLE | 7 << 4,
                0);
        config.define(msi + MSI_ADDRESS, 4, 0, 0xFFFF_FFFCL, 0);
        config.define(msi + MSI_ADDRESS + 4, 4, 0, 0xFFFF_FFFFL, 0);
        config.define(msi + MSI_DATA, 2, 0, 0xFFFF, 0);
        config.define(msi + MSI_MASK, 4, 0, vectors, 0);
        config.define(msi + MSI_PENDING, 4, 0, 0, 0);
    }
}
