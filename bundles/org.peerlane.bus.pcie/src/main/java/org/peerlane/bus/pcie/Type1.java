package org.peerlane.bus.pcie;

/**
 * Config space of a port: the type 1 header (PC-10, PC-42), PM, PCI Express, and ACS where the port
 * has it.
 *
 * <p><b>Source.</b> PCIe 5.0 §7.5; values as {@code pci_regs.h} names them.
 */
final class Type1 {
    static final int PRIMARY = 0x18;
    static final int SECONDARY = 0x19;
    static final int SUBORDINATE = 0x1A;
    static final int MEMORY_BASE = 0x20;
    static final int MEMORY_LIMIT = 0x22;
    static final int PREFETCH_BASE = 0x24;
    static final int PREFETCH_LIMIT = 0x26;
    static final int PREFETCH_BASE_HIGH = 0x28;
    static final int PREFETCH_LIMIT_HIGH = 0x2C;
    static final int BRIDGE_CONTROL = 0x3E;
    static final int BRIDGE_CONTROL_RESET = 1 << 6;

    static final int EXPRESS = 0x50;
    static final int LNKSTA = EXPRESS + 0x12;
    static final int LNKSTA_ACTIVE = 1 << 13;
    static final int SLTCAP = EXPRESS + 0x14;
    static final int SLTCTL = EXPRESS + 0x18;
    static final int SLTSTA = EXPRESS + 0x1A;
    static final int SLTSTA_PRESENCE = 1 << 6;
    static final int SLTSTA_PRESENCE_CHANGED = 1 << 3;
    static final int SLTSTA_LINK_CHANGED = 1 << 8;
    static final int SLTSTA_COMMAND_COMPLETED = 1 << 4;
    static final int DEVCTL2 = EXPRESS + 0x28;
    static final int DEVCTL2_ARI = 1 << 5;

    static final int ACS = 0x100;
    static final int ACS_CONTROL = ACS + 6;
    static final int ACS_EGRESS = ACS + 8;

    private static final int RED_HAT = 0x1B36;

    private Type1() {}

    static ConfigSpace of(PortConfig port, PortKind kind, int portNumber) {
        ConfigSpace config = new ConfigSpace();
        config.define(0x00, 2, RED_HAT);
        config.define(0x02, 2, kind == PortKind.ROOT ? 0x000C : 0x000D + kind.expressType);
        config.define(Type0.COMMAND, 2, 0, 0x0546, 0);
        config.define(Type0.STATUS, 2, 0x0010, 0, 0xF900);
        config.define(0x09, 3, 0x060400);
        config.define(0x0C, 1, 0, 0xFF, 0);
        config.define(0x0E, 1, 1);
        config.define(PRIMARY, 1, 0, 0xFF, 0);
        config.define(SECONDARY, 1, 0, 0xFF, 0);
        config.define(SUBORDINATE, 1, 0, 0xFF, 0);
        config.define(0x1E, 2, 0, 0, 0xF900);
        config.define(MEMORY_BASE, 2, 0, 0xFFF0, 0);
        config.define(MEMORY_LIMIT, 2, 0, 0xFFF0, 0);
        config.define(PREFETCH_BASE, 2, 1, 0xFFF0, 0);
        config.define(PREFETCH_LIMIT, 2, 1, 0xFFF0, 0);
        config.define(PREFETCH_BASE_HIGH, 4, 0, 0xFFFF_FFFFL, 0);
        config.define(PREFETCH_LIMIT_HIGH, 4, 0, 0xFFFF_FFFFL, 0);
        config.define(Type0.CAPABILITIES, 1, Type0.PM);
        config.define(0x3C, 1, 0, 0xFF, 0);
        config.define(BRIDGE_CONTROL, 2, 0, 0x0053, 0);

        config.define(Type0.PM, 1, 0x01);
        config.define(Type0.PM + 1, 1, EXPRESS);
        config.define(Type0.PM + 2, 2, 3);
        config.define(Type0.PMCSR, 2, 0x0008, Type0.PMCSR_STATE, 0); // No_Soft_Reset
        express(config, port, kind, portNumber);
        if (port.acs() && kind != PortKind.UPSTREAM) {
            config.define(ACS, 4, 0x0001_000D);
            // SV, TB, RR, CR, UF, EC, DT; 32 egress bits
            config.define(ACS + 4, 2, 0x207F);
            config.define(ACS_CONTROL, 2, 0, 0x007F, 0);
            config.define(ACS_EGRESS, 4, 0, 0xFFFF_FFFFL, 0);
        }
        return config;
    }

    private static void express(
            ConfigSpace config, PortConfig port, PortKind kind, int portNumber) {
        boolean slot = kind != PortKind.UPSTREAM;
        config.define(EXPRESS, 1, 0x10);
        config.define(EXPRESS + 2, 2, 2 | kind.expressType << 4 | (slot ? 1 << 8 : 0));
        config.define(EXPRESS + 4, 4, 0x0000_8021);
        config.define(EXPRESS + 8, 2, 0x2810, 0x78FF, 0);
        config.define(EXPRESS + 0x0A, 2, 0, 0, 0x000F);
        // 16 GT/s, 16 lanes, link active reporting
        config.define(
                EXPRESS + 0x0C, 4, (long) portNumber << 24 | (slot ? 1 << 20 : 0) | 16 << 4 | 4);
        config.define(EXPRESS + 0x10, 2, 0, 0x01FB, 0);
        config.define(LNKSTA, 2, 16 << 4 | 4);
        if (slot) {
            long hotplug = port.hotplug() ? 0x1B | 1 << 5 | 1 << 6 | 1 << 17 : 0;
            config.define(SLTCAP, 4, (long) portNumber << 19 | hotplug);
            config.define(SLTCTL, 2, port.hotplug() ? 0x07C0 : 0, port.hotplug() ? 0x1FFF : 0, 0);
            config.define(SLTSTA, 2, 0, 0, 0x011F);
        }
        config.define(EXPRESS + 0x24, 4, 0x20); // ARI forwarding
        config.define(DEVCTL2, 2, 0, 0x003F, 0);
    }
}
