package org.peerlane.bus.pcie;

import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;

/**
 * Config space of an endpoint that sits in the root complex: the type 0 header (PC-9) and, from
 * 0x40 on, the capabilities PM, MSI if the function has vectors, and PCI Express, in this order.
 *
 * <p><b>Source.</b> PCIe 5.0 §7.5; values as {@code pci_regs.h} names them.
 */
final class Type0 {
    static final int COMMAND = 0x04;
    static final int STATUS = 0x06;
    static final int BAR0 = 0x10;
    static final int BARS = 6;
    static final int CAPABILITIES = 0x34;

    static final int COMMAND_MSE = 1 << 1;
    static final int COMMAND_BME = 1 << 2;

    static final int PM = 0x40;
    static final int PMCSR = PM + 4;
    static final int PMCSR_STATE = 3;
    static final int D0 = 0;
    static final int D3HOT = 3;

    static final int MSI = 0x50;
    static final int MSI_CONTROL = MSI + 2;
    static final int MSI_ADDRESS = MSI + 4;
    static final int MSI_DATA = MSI + 0x0C;
    static final int MSI_MASK = MSI + 0x10;
    static final int MSI_PENDING = MSI + 0x14;
    static final int MSI_ENABLE = 1;

    static final int EXPRESS = 0x70;
    static final int DEVCTL = EXPRESS + 8;
    static final int DEVCTL_FLR = 1 << 15;

    private static final int ID_PM = 0x01;
    private static final int ID_MSI = 0x05;
    private static final int ID_EXPRESS = 0x10;

    private Type0() {}

    static ConfigSpace of(FunctionLayout layout) {
        ConfigSpace config = new ConfigSpace();
        header(config, layout);
        layout.bars().forEach(bar -> bar(config, bar));
        boolean msi = layout.msiVectors() != 0;
        power(config, msi ? MSI : EXPRESS);
        if (msi) {
            msi(config, layout.msiVectors());
        }
        express(config);
        return config;
    }

    private static void header(ConfigSpace config, FunctionLayout layout) {
        config.define(0x00, 2, layout.vendorId());
        config.define(0x02, 2, layout.deviceId());
        // MSE, BME, parity, SERR, INTx disable; there is no I/O space
        config.define(COMMAND, 2, 0, 0x0546, 0);
        // capability list; the six error bits are cleared by 1 (PC-8)
        config.define(STATUS, 2, 0x0010, 0, 0xF900);
        config.define(0x08, 1, layout.revision());
        config.define(0x09, 3, layout.classCode());
        config.define(0x0C, 1, 0, 0xFF, 0);
        config.define(0x2C, 2, layout.subsystemVendorId());
        config.define(0x2E, 2, layout.subsystemId());
        config.define(CAPABILITIES, 1, PM);
        config.define(0x3C, 1, 0, 0xFF, 0);
    }

    /** PC-12 to PC-14: type bits read-only, address bits below the size hard-wired to 0. */
    private static void bar(ConfigSpace config, BarLayout bar) {
        long type = (bar.wide() ? 4 : 0) | (bar.prefetchable() ? 8 : 0);
        config.define(BAR0 + bar.index() * 4, bar.wide() ? 8 : 4, type, -bar.bytes(), 0);
    }

    private static void power(ConfigSpace config, int next) {
        config.define(PM, 1, ID_PM);
        config.define(PM + 1, 1, next);
        config.define(PM + 2, 2, 3); // version 3; neither D1, D2 nor PME
        config.define(PMCSR, 2, 0, PMCSR_STATE, 0); // No_Soft_Reset=0
    }

    private static void msi(ConfigSpace config, int vectors) {
        int capable = Integer.numberOfTrailingZeros(vectors);
        config.define(MSI, 1, ID_MSI);
        config.define(MSI + 1, 1, EXPRESS);
        // 64-bit, per-vector mask; software writes enable and how many
        config.define(MSI_CONTROL, 2, 0x0180 | capable << 1, 0x0071, 0);
        config.define(MSI_ADDRESS, 8, 0, ~3L, 0);
        config.define(MSI_DATA, 4, 0, 0xFFFF, 0);
        config.define(MSI_MASK, 4, 0, (1L << vectors) - 1, 0);
        config.define(MSI_PENDING, 4, 0);
    }

    private static void express(ConfigSpace config) {
        config.define(EXPRESS, 1, ID_EXPRESS);
        config.define(EXPRESS + 1, 1, 0);
        config.define(EXPRESS + 2, 2, 0x0092); // version 2, root complex integrated endpoint
        // 256 bytes of payload, extended tags, role-based errors, FLR
        config.define(EXPRESS + 4, 4, 0x1000_8021);
        // relaxed ordering, no-snoop, reads of 512 bytes; bit 15 acts and reads 0
        config.define(DEVCTL, 2, 0x2810, 0x79FF, 0);
        config.define(EXPRESS + 0x0A, 2, 0, 0, 0x000F);
        config.define(EXPRESS + 0x24, 4, 0x10); // completion time-out can be switched off
        config.define(EXPRESS + 0x28, 2, 0, 0x001F, 0);
    }
}
