package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.ExpressText.DOWNSTREAM;
import static org.peerlane.shell.pci.ExpressText.ENDPOINT;
import static org.peerlane.shell.pci.ExpressText.INTEGRATED;
import static org.peerlane.shell.pci.ExpressText.LEGACY_ENDPOINT;
import static org.peerlane.shell.pci.ExpressText.ROOT_PORT;
import static org.peerlane.shell.pci.ExpressText.UPSTREAM;
import static org.peerlane.shell.pci.Flags.field;
import static org.peerlane.shell.pci.Flags.sign;

import org.peerlane.bus.api.PcieAddress;

/** Device 2 and Link 2 registers of the PCI Express capability (PCIe 5.0 §7.5.3.15 on). */
final class Express2Text {
    private static final Flags ATOMICS = new Flags("32bit=7 64bit=8 128bitCAS=9");
    private static final Flags LINK_STATUS =
            new Flags("EqualizationPhase2=3 EqualizationPhase3=4 LinkEqualizationRequest=5");

    private static final String[] OBFF = {
        "Not Supported", "Via message", "Via WAKE#", "Via message/WAKE#"
    };
    private static final String[] OBFF_ON = {
        "Disabled", "Via message A", "Via message B", "Via WAKE#"
    };
    private static final String[] EMERGENCY = {
        "Not Supported", "Dev Specific", "Form Factor Dev Specific", "Reserved"
    };
    private static final String[] CACHE_LINE = {
        "Not Supported", "64byte cachelines", "128byte cachelines", "Reserved"
    };
    private static final String[] HINTS = {
        "TPHComp- ExtTPHComp-", "TPHComp+ ExtTPHComp-", "", "TPHComp+ ExtTPHComp+"
    };
    private static final String[] PRESETS = {
        "-6dB de-emphasis, 0dB preshoot",
        "-3.5dB de-emphasis, 0dB preshoot",
        "-4.4dB de-emphasis, 0dB preshoot",
        "-2.5dB de-emphasis, 0dB preshoot",
        "0dB de-emphasis, 0dB preshoot",
        "0dB de-emphasis, 1.9dB preshoot",
        "0dB de-emphasis, 2.5dB preshoot",
        "-6.0dB de-emphasis, 3.5dB preshoot",
        "-3.5dB de-emphasis, 3.5dB preshoot",
        "0dB de-emphasis, 3.5dB preshoot"
    };
    private static final String[] CROSSLINK = {
        "unsupported", "Upstream Port", "Downstream Port", "incomplete"
    };

    private Express2Text() {}

    static void show(Lines out, ConfigView config, int at, int type, boolean link) {
        deviceCapabilities(out, config.u32(at + 0x24), type, Bars.hasMemory(config));
        deviceControl(out, config.u16(at + 0x28), type);
        if (link) {
            link(out, config, at, type);
        }
    }

    private static boolean routes(int type) {
        return type == ROOT_PORT || type == UPSTREAM || type == DOWNSTREAM;
    }

    private static void deviceCapabilities(Lines out, long can, int type, boolean memory) {
        out.line(
                "\t\tDevCap2: Completion Timeout: %s, TimeoutDis%s NROPrPrP%s LTR%s"
                        .formatted(
                                ranges((int) can & 0xF),
                                sign(can, 4),
                                sign(can, 10),
                                sign(can, 11)));
        out.add(
                "\t\t\t 10BitTagComp%s 10BitTagReq%s OBFF %s, ExtFmt%s EETLPPrefix%s"
                        .formatted(
                                sign(can, 16),
                                sign(can, 17),
                                OBFF[field(can, 18, 2)],
                                sign(can, 20),
                                sign(can, 21)));
        int prefixes = field(can, 22, 2);
        out.line(
                field(can, 21, 1) == 0
                        ? ""
                        : ", MaxEETLPPrefixes %d".formatted(prefixes == 0 ? 4 : prefixes));
        out.line(
                "\t\t\t EmergencyPowerReduction %s, EmergencyPowerReductionInit%s"
                        .formatted(EMERGENCY[field(can, 24, 2)], sign(can, 26)));
        out.add("\t\t\t FRS" + sign(can, 31));
        out.add(
                type == ROOT_PORT
                        ? " LN System CLS %s,".formatted(CACHE_LINE[field(can, 14, 2)])
                        : "");
        out.add(type == ROOT_PORT || type == ENDPOINT ? " " + HINTS[field(can, 12, 2)] : "");
        out.line(type == ROOT_PORT || type == DOWNSTREAM ? " ARIFwd" + sign(can, 5) : "");
        if (routes(type) || memory) {
            out.add("\t\t\t AtomicOpsCap:");
            out.add(routes(type) ? " Routing" + sign(can, 6) : "");
            out.line(type == ROOT_PORT || memory ? " " + ATOMICS.of(can) : "");
        }
    }

    private static void deviceControl(Lines out, int control, int type) {
        out.add(
                "\t\tDevCtl2: Completion Timeout: %s, TimeoutDis%s LTR%s 10BitTagReq%s OBFF %s,"
                        .formatted(
                                timeout(control & 0xF),
                                sign(control, 4),
                                sign(control, 10),
                                sign(control, 12),
                                OBFF_ON[field(control, 13, 2)]));
        out.line(type == ROOT_PORT || type == DOWNSTREAM ? " ARIFwd" + sign(control, 5) : "");
        boolean requests =
                type == ROOT_PORT
                        || type == ENDPOINT
                        || type == INTEGRATED
                        || type == LEGACY_ENDPOINT;
        if (routes(type) || requests) {
            out.add("\t\t\t AtomicOpsCtl:");
            out.add(requests ? " ReqEn" + sign(control, 6) : "");
            out.line(routes(type) ? " EgressBlck" + sign(control, 7) : "");
        }
    }

    private static void link(Lines out, ConfigView config, int at, int type) {
        PcieAddress address = config.function().address();
        boolean first = address.device() == 0 && address.function() == 0;
        long can = 0;
        if (type != ENDPOINT && type != LEGACY_ENDPOINT || first) {
            can = config.u32(at + 0x2C);
            if (can != 0) {
                out.line(
                        "\t\tLnkCap2: Supported Link Speeds: %s, Crosslink%s Retimer%s 2Retimers%s DRS%s"
                                .formatted(
                                        speeds(field(can, 1, 7)),
                                        sign(can, 8),
                                        sign(can, 23),
                                        sign(can, 24),
                                        sign(can, 31)));
            }
            linkControl(out, config.u16(at + 0x30), type);
        }
        int status = config.u16(at + 0x32);
        out.line(
                "\t\tLnkSta2: Current De-emphasis Level: %s, EqualizationComplete%s EqualizationPhase1%s"
                        .formatted(deemphasis(status & 1), sign(status, 1), sign(status, 2)));
        out.line("\t\t\t " + LINK_STATUS.of(status));
        out.add(
                "\t\t\t Retimer%s 2Retimers%s CrosslinkRes: %s"
                        .formatted(
                                sign(status, 6), sign(status, 7), CROSSLINK[field(status, 8, 2)]));
        if (ExpressText.isDownstream(type) && can >>> 31 != 0) {
            out.line(", DRS" + sign(status, 15));
            out.line("\t\t\t DownstreamComp: " + component(field(status, 12, 3)));
        } else {
            out.line("");
        }
    }

    private static void linkControl(Lines out, int control, int type) {
        String speed = (control & 0xF) == 0 ? "2.5GT/s" : ExpressText.speed(control & 0xF);
        out.add(
                "\t\tLnkCtl2: Target Link Speed: %s, EnterCompliance%s SpeedDis%s"
                        .formatted(
                                "unknown".equals(speed) ? "Unknown" : speed,
                                sign(control, 4),
                                sign(control, 5)));
        out.line(
                type == DOWNSTREAM
                        ? ", Selectable De-emphasis: " + deemphasis(field(control, 6, 1))
                        : "");
        out.line(
                "\t\t\t Transmit Margin: %s, EnterModifiedCompliance%s ComplianceSOS%s"
                        .formatted(
                                margin(field(control, 7, 3)),
                                sign(control, 10),
                                sign(control, 11)));
        int preset = field(control, 12, 4);
        out.line(
                "\t\t\t Compliance Preset/De-emphasis: "
                        + (preset < PRESETS.length ? PRESETS[preset] : "Unknown"));
    }

    private static String ranges(int code) {
        return switch (code) {
            case 0 -> "Not Supported";
            case 1 -> "Range A";
            case 2 -> "Range B";
            case 3 -> "Range AB";
            case 6 -> "Range BC";
            case 7 -> "Range ABC";
            case 14 -> "Range BCD";
            case 15 -> "Range ABCD";
            default -> "Unknown";
        };
    }

    private static String timeout(int code) {
        return switch (code) {
            case 0 -> "50us to 50ms";
            case 1 -> "50us to 100us";
            case 2 -> "1ms to 10ms";
            case 5 -> "16ms to 55ms";
            case 6 -> "65ms to 210ms";
            case 9 -> "260ms to 900ms";
            case 10 -> "1s to 3.5s";
            case 13 -> "4s to 13s";
            case 14 -> "17s to 64s";
            default -> "Unknown";
        };
    }

    /** A device supports all rates below its highest, too. */
    private static String speeds(int vector) {
        if ((vector & 0x60) != 0) {
            return "RsvdP";
        }
        int highest = 32 - Integer.numberOfLeadingZeros(vector);
        return switch (highest) {
            case 0 -> "Unknown";
            case 1 -> "2.5GT/s";
            default -> "2.5-" + ExpressText.speed(highest);
        };
    }

    private static String deemphasis(int code) {
        return code == 0 ? "-6dB" : "-3.5dB";
    }

    private static String margin(int code) {
        return switch (code) {
            case 0 -> "Normal Operating Range";
            case 1 -> "800-1200mV(full-swing)/400-700mV(half-swing)";
            case 2, 3, 4, 5 -> "200-400mV(full-swing)/100-200mV(half-swing)";
            default -> "Unknown";
        };
    }

    private static String component(int code) {
        return switch (code) {
            case 0 -> "Link Down - Not Determined";
            case 1 -> "Link Down - Not Present";
            case 2 -> "Link Down - Present";
            case 4 -> "Link Up - Present";
            case 5 -> "Link Up - Present and DRS Received";
            default -> "Reserved";
        };
    }
}
