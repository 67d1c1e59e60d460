package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.Flags.field;
import static org.peerlane.shell.pci.Flags.sign;

import org.peerlane.bus.api.PcieFunction;
import org.peerlane.shell.pci.CapabilityList.Item;

/** What lspci says of the legacy capabilities; the longest one is {@link ExpressText}'s. */
final class CapabilityText {
    private static final Flags POWER = new Flags("PMEClk=3 DSI=5 D1=9 D2=10");

    /** Milliamperes by code. */
    private static final int[] AUX_CURRENT = {0, 55, 100, 160, 220, 270, 320, 375};

    private static final int MSI_64 = 1 << 7;
    private static final int MSI_MASKABLE = 1 << 8;

    private final Lines out;
    private final ConfigView config;
    private final int verbose;
    private final Style style;

    private CapabilityText(Lines out, ConfigView config, int verbose, Style style) {
        this.out = out;
        this.config = config;
        this.verbose = verbose;
        this.style = style;
    }

    /** Writes both lists. */
    static void show(Lines out, ConfigView config, int verbose, Style style) {
        var text = new CapabilityText(out, config, verbose, style);
        boolean express = false;
        int portType = -1;
        for (Item item : CapabilityList.legacy(config)) {
            out.add("\tCapabilities: [%02x] ".formatted(item.offset()));
            if (item.flaw() != null) {
                out.line(item.flaw());
            } else if (item.id() == CapabilityList.EXPRESS) {
                express = true;
                portType = ExpressText.show(out, config, item.offset(), verbose);
            } else {
                text.one(item);
            }
        }
        if (express) {
            ExtendedText.show(out, config, verbose, portType);
        }
    }

    private void one(Item item) {
        int at = item.offset();
        int flags = config.u16(at + 2);
        switch (item.id()) {
            case 0x00 -> out.line("Null");
            case 0x01 -> power(at, flags);
            case 0x03 -> out.line("Vital Product Data");
            case 0x05 -> msi(at, flags);
            case 0x09 ->
                    out.line("Vendor Specific Information: Len=%02x <?>".formatted(flags & 0xFF));
            case 0x0C -> out.line("Hot-plug capable");
            case 0x0D -> subsystem(at);
            case 0x11 -> msix(at, flags);
            case 0x13 -> advancedFeatures(at);
            case 0x14 ->
                    out.line(
                            "Enhanced Allocation (EA): NumEntries=%d"
                                    .formatted(field(flags, 0, 6)));
            default -> out.line("Capability ID 0x%02x [%04x]".formatted(item.id(), flags));
        }
    }

    private void power(int at, int flags) {
        out.line("Power Management version %d".formatted(flags & 7));
        if (verbose < 2) {
            return;
        }
        out.line(
                "\t\tFlags: %s AuxCurrent=%dmA PME(D0%s,D1%s,D2%s,D3hot%s,D3cold%s)"
                        .formatted(
                                POWER.of(flags),
                                AUX_CURRENT[field(flags, 6, 3)],
                                sign(flags, 11),
                                sign(flags, 12),
                                sign(flags, 13),
                                sign(flags, 14),
                                sign(flags, 15)));
        int status = config.u16(at + 4);
        out.line(
                "\t\tStatus: D%d NoSoftRst%s PME-Enable%s DSel=%d DScale=%d PME%s"
                        .formatted(
                                status & 3,
                                sign(status, 3),
                                sign(status, 8),
                                field(status, 9, 4),
                                field(status, 13, 2),
                                sign(status, 15)));
        int bridge = config.u8(at + 6);
        if (bridge != 0) {
            out.line("\t\tBridge: PM%s B3%s".formatted(sign(bridge, 7), sign(~bridge, 6)));
        }
    }

    private void msi(int at, int flags) {
        out.line(
                "MSI: Enable%s Count=%d/%d Maskable%s 64bit%s"
                        .formatted(
                                sign(flags, 0),
                                1 << field(flags, 4, 3),
                                1 << field(flags, 1, 3),
                                sign(flags, 8),
                                sign(flags, 7)));
        if (verbose < 2) {
            return;
        }
        boolean wide = (flags & MSI_64) != 0;
        out.line(
                "\t\tAddress: %s%08x  Data: %04x"
                        .formatted(
                                wide ? "%08x".formatted(config.u32(at + 8)) : "",
                                config.u32(at + 4),
                                config.u16(at + (wide ? 12 : 8))));
        if ((flags & MSI_MASKABLE) != 0) {
            int mask = at + (wide ? 16 : 12);
            out.line(
                    "\t\tMasking: %08x  Pending: %08x"
                            .formatted(config.u32(mask), config.u32(mask + 4)));
        }
    }

    private void msix(int at, int flags) {
        out.line(
                "MSI-X: Enable%s Count=%d Masked%s"
                        .formatted(sign(flags, 15), field(flags, 0, 11) + 1, sign(flags, 14)));
        if (verbose >= 2) {
            place("Vector table", config.u32(at + 4));
            place("PBA", config.u32(at + 8));
        }
    }

    private void place(String what, long register) {
        out.line("\t\t%s: BAR=%d offset=%08x".formatted(what, register & 7, register & ~7L));
    }

    private void subsystem(int at) {
        PcieFunction function = config.function();
        out.line(
                "Subsystem: "
                        + PciNames.subsystem(
                                function.vendorId(),
                                function.deviceId(),
                                config.u16(at + 4),
                                config.u16(at + 6),
                                style));
    }

    private void advancedFeatures(int at) {
        out.line("PCI Advanced Features");
        if (verbose >= 2) {
            int can = config.u8(at + 3);
            out.line("\t\tAFCap: TP%s FLR%s".formatted(sign(can, 0), sign(can, 1)));
            out.line("\t\tAFCtrl: FLR%s".formatted(sign(config.u8(at + 4), 0)));
            out.line("\t\tAFStatus: TP%s".formatted(sign(config.u8(at + 5), 0)));
        }
    }
}
