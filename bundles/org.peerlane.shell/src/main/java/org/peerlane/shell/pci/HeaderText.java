package org.peerlane.shell.pci;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.PcieFunction;

/** What lspci says of the standard header, type 0 and type 1 (PCIe 5.0 §7.5.1). */
final class HeaderText {
    private static final Flags CONTROL =
            new Flags(
                    "I/O=0 Mem=1 BusMaster=2 SpecCycle=3 MemWINV=4 VGASnoop=5 ParErr=6 Stepping=7"
                            + " SERR=8 FastB2B=9 DisINTx=10");
    private static final Flags STATUS_LOW = new Flags("Cap=4 66MHz=5 UDF=6 FastB2B=7 ParErr=8");
    private static final Flags STATUS_HIGH =
            new Flags(">TAbort=11 <TAbort=12 <MAbort=13 >SERR=14 <PERR=15 INTx=3");

    private static final int BUS_MASTER = 1 << 2;
    private static final int CLASS_PCI_BRIDGE = 0x0604;
    private static final int BASE_BRIDGE = 0x06;
    private static final int SUBSYSTEM_CAPABILITY = 0x0D;

    private HeaderText() {}

    /** The first line, and with -v or -k the slot's name and the subsystem. */
    static void terse(
            Lines out, ConfigView config, String address, LspciOptions options, Style style) {
        PcieFunction function = config.function();
        int code = function.classCode() >> 8;
        out.add("%s %s: ".formatted(address, PciNames.type(code, style)));
        out.add(PciNames.device(function.vendorId(), function.deviceId(), style));
        int revision = config.u8(0x08);
        out.add(revision == 0 ? "" : " (rev %02x)".formatted(revision));
        if (options.verbose() > 0) {
            int interfaceCode = config.u8(0x09);
            String name = PciNames.programmingInterface(code, interfaceCode);
            if (interfaceCode != 0 || name != null) {
                out.add(" (prog-if %02x".formatted(interfaceCode));
                out.add(name == null ? ")" : " [%s])".formatted(name));
            }
        }
        out.line("");
        if (options.showsKernel()) {
            if (!function.slot().isEmpty()) {
                out.line("\tDeviceName: " + function.slot());
            }
            subsystem(out, config, style);
        }
    }

    private static void subsystem(Lines out, ConfigView config, Style style) {
        int at = subsystemAt(config);
        if (at == 0) {
            return;
        }
        int vendor = config.u16(at);
        if (vendor != 0 && vendor != 0xFFFF) {
            PcieFunction function = config.function();
            out.line(
                    "\tSubsystem: "
                            + PciNames.subsystem(
                                    function.vendorId(),
                                    function.deviceId(),
                                    vendor,
                                    config.u16(at + 2),
                                    style));
        }
    }

    /**
     * {@return where the subsystem ids are; a bridge has them in a capability, or not at all: 0}
     */
    private static int subsystemAt(ConfigView config) {
        return switch (config.headerType()) {
            case ConfigView.NORMAL -> 0x2C;
            case ConfigView.BRIDGE ->
                    CapabilityList.legacy(config).stream()
                            .filter(c -> c.id() == SUBSYSTEM_CAPABILITY && c.flaw() == null)
                            .mapToInt(c -> c.offset() + 4)
                            .findFirst()
                            .orElse(0);
            default -> 0;
        };
    }

    /** Everything below the first lines. */
    static void verbose(Lines out, ConfigView config, int verbose, Style style) {
        int type = config.headerType();
        int code = config.function().classCode() >> 8;
        if (type != ConfigView.NORMAL && type != ConfigView.BRIDGE) {
            out.line("\t!!! Unknown header type %02x".formatted(type));
            return;
        }
        if (type == ConfigView.NORMAL ? code == CLASS_PCI_BRIDGE : code >> 8 != BASE_BRIDGE) {
            out.line("\t!!! Invalid class %04x for header type %02x".formatted(code, type));
        }
        if (verbose > 1) {
            registers(out, config, type);
        } else {
            flags(out, config);
        }
        int bist = config.u8(0x0F);
        if ((bist & 0x80) != 0) {
            out.line(
                    (bist & 0x40) != 0
                            ? "\tBIST is running"
                            : "\tBIST result: %02x".formatted(bist & 0xF));
        }
        Bars.show(out, config, verbose);
        if (type == ConfigView.NORMAL) {
            Bars.rom(out, config, 0x30);
        } else {
            BridgeText.show(out, config, verbose);
        }
        CapabilityText.show(out, config, verbose, style);
    }

    private static void registers(Lines out, ConfigView config, int type) {
        int command = config.u16(ConfigView.COMMAND);
        int status = config.u16(ConfigView.STATUS);
        out.line("\tControl: " + CONTROL.of(command));
        out.line(
                "\tStatus: %s DEVSEL=%s %s"
                        .formatted(STATUS_LOW.of(status), devsel(status), STATUS_HIGH.of(status)));
        if ((command & BUS_MASTER) != 0) {
            out.add("\tLatency: %d".formatted(config.u8(0x0D)));
            latencies(out, type == ConfigView.NORMAL ? config : null);
            int line = config.u8(0x0C);
            out.line(line == 0 ? "" : ", Cache Line Size: %d bytes".formatted(line * 4));
        }
        int pin = config.u8(0x3D);
        int irq = config.u8(0x3C);
        if (pin != 0 || irq != 0) {
            out.line(
                    "\tInterrupt: pin %s routed to IRQ %d"
                            .formatted(pin == 0 ? '?' : (char) ('A' + pin - 1), irq));
        }
    }

    private static void latencies(Lines out, @Nullable ConfigView config) {
        int least = config == null ? 0 : config.u8(0x3E);
        int most = config == null ? 0 : config.u8(0x3F);
        if (least != 0 || most != 0) {
            out.add(
                    " (%s%s%s)"
                            .formatted(
                                    least == 0 ? "" : least * 250 + "ns min",
                                    least != 0 && most != 0 ? ", " : "",
                                    most == 0 ? "" : most * 250 + "ns max"));
        }
    }

    private static void flags(Lines out, ConfigView config) {
        int command = config.u16(ConfigView.COMMAND);
        int status = config.u16(ConfigView.STATUS);
        boolean master = (command & BUS_MASTER) != 0;
        out.add("\tFlags: ");
        out.add(master ? "bus master, " : "");
        out.add((command & 1 << 5) != 0 ? "VGA palette snoop, " : "");
        out.add((command & 1 << 7) != 0 ? "stepping, " : "");
        out.add((command & 1 << 9) != 0 ? "fast Back2Back, " : "");
        out.add((status & 1 << 5) != 0 ? "66MHz, " : "");
        out.add((status & 1 << 6) != 0 ? "user-definable features, " : "");
        out.add(devsel(status) + " devsel");
        out.add(master ? ", latency %d".formatted(config.u8(0x0D)) : "");
        int irq = config.u8(0x3C);
        out.line(irq == 0 ? "" : ", IRQ %d".formatted(irq));
    }

    /** {@return the DEVSEL timing of a status register; PCI Express always says fast} */
    static String devsel(int status) {
        return switch (Flags.field(status, 9, 2)) {
            case 0 -> "fast";
            case 1 -> "medium";
            case 2 -> "slow";
            default -> "??";
        };
    }
}
