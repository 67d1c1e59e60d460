package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.Flags.field;
import static org.peerlane.shell.pci.Flags.sign;

import java.math.BigDecimal;

/**
 * What lspci says of the PCI Express capability: device, link, slot and root registers (PCIe 5.0
 * §7.5.3); the second set of them is {@link Express2Text}'s.
 */
final class ExpressText {
    static final int ENDPOINT = 0;
    static final int LEGACY_ENDPOINT = 1;
    static final int ROOT_PORT = 4;
    static final int UPSTREAM = 5;
    static final int DOWNSTREAM = 6;
    static final int TO_PCI = 7;
    static final int FROM_PCI = 8;
    static final int INTEGRATED = 9;
    static final int EVENT_COLLECTOR = 10;

    private static final Flags ERRORS = new Flags("CorrErr=0 NonFatalErr=1 FatalErr=2 UnsupReq=3");
    private static final Flags INDICATORS = new Flags("AttnBtn=12 AttnInd=13 PwrInd=14");
    private static final Flags DEVICE_CONTROL =
            new Flags("RlxdOrd=4 ExtTag=8 PhantFunc=9 AuxPwr=10 NoSnoop=11");
    private static final Flags DEVICE_STATUS = new Flags("AuxPwr=4 TransPend=5");
    private static final Flags LINK_CAPABILITIES =
            new Flags("ClockPM=18 Surprise=19 LLActRep=20 BwNot=21 ASPMOptComp=22");
    private static final Flags LINK_CONTROL =
            new Flags("ExtSynch=7 ClockPM=8 AutWidDis=9 BWInt=10 AutBWInt=11");
    private static final Flags LINK_STATUS =
            new Flags("TrErr=10 Train=11 SlotClk=12 DLActive=13 BWMgmt=14 ABWMgmt=15");
    private static final Flags SLOT_CAPABILITIES =
            new Flags("AttnBtn=0 PwrCtrl=1 MRL=2 AttnInd=3 PwrInd=4 HotPlug=6 Surprise=5");
    private static final Flags SLOT_CONTROL =
            new Flags("AttnBtn=0 PwrFlt=1 MRL=2 PresDet=3 CmdCplt=4 HPIrq=5 LinkChg=12");
    private static final Flags SLOT_STATUS =
            new Flags("AttnBtn=0 PowerFlt=1 MRL=5 CmdCplt=4 PresDet=6 Interlock=7");
    private static final Flags SLOT_CHANGES = new Flags("MRL=2 PresDet=3 LinkState=8");
    private static final Flags ROOT_CONTROL =
            new Flags("ErrCorrectable=0 ErrNon-Fatal=1 ErrFatal=2 PMEIntEna=3 CRSVisible=4");

    private static final String[] L0S = {
        "<64ns", "<128ns", "<256ns", "<512ns", "<1us", "<2us", "<4us", "unlimited"
    };
    private static final String[] L1 = {
        "<1us", "<2us", "<4us", "<8us", "<16us", "<32us", "<64us", "unlimited"
    };
    private static final String[] ASPM = {"not supported", "L0s", "L1", "L0s L1"};
    private static final String[] ASPM_ON = {
        "Disabled", "L0s Enabled", "L1 Enabled", "L0s L1 Enabled"
    };
    private static final String[] INDICATOR = {"Unknown", "On", "Blink", "Off"};

    private static final int SLOT = 1 << 8;
    private static final int FLR = 1 << 28;

    private ExpressText() {}

    /** {@return the type of device or port} */
    static int show(Lines out, ConfigView config, int at, int verbose) {
        int flags = config.u16(at + 2);
        int type = field(flags, 4, 4);
        out.add("Express ");
        out.add(verbose < 2 ? "" : "(v%d) ".formatted(flags & 0xF));
        out.line("%s, MSI %02x".formatted(name(type, flags), field(flags, 9, 5)));
        if (verbose < 2) {
            return type;
        }
        boolean link = type != INTEGRATED && type != EVENT_COLLECTOR;
        device(out, config, at, type);
        if (link) {
            link(out, config, at, type);
        }
        if (isDownstream(type) && (flags & SLOT) != 0) {
            slot(out, config, at);
        }
        if (type == ROOT_PORT || type == EVENT_COLLECTOR) {
            root(out, config, at);
        }
        if ((flags & 0xF) >= 2) {
            Express2Text.show(out, config, at, type, link);
        }
        return type;
    }

    /** {@return whether the link of a port of this type leads away from the root} */
    static boolean isDownstream(int type) {
        return type == ROOT_PORT || type == DOWNSTREAM || type == FROM_PCI;
    }

    private static boolean isEndpoint(int type) {
        return type == ENDPOINT || type == LEGACY_ENDPOINT;
    }

    private static String name(int type, int flags) {
        char slot = sign(flags, 8);
        return switch (type) {
            case ENDPOINT -> "Endpoint";
            case LEGACY_ENDPOINT -> "Legacy Endpoint";
            case ROOT_PORT -> "Root Port (Slot" + slot + ")";
            case UPSTREAM -> "Upstream Port";
            case DOWNSTREAM -> "Downstream Port (Slot" + slot + ")";
            case TO_PCI -> "PCI-Express to PCI/PCI-X Bridge";
            case FROM_PCI -> "PCI/PCI-X to PCI-Express Bridge (Slot" + slot + ")";
            case INTEGRATED -> "Root Complex Integrated Endpoint";
            case EVENT_COLLECTOR -> "Root Complex Event Collector";
            default -> "Unknown type " + type;
        };
    }

    private static void device(Lines out, ConfigView config, int at, int type) {
        long can = config.u32(at + 4);
        out.add(
                "\t\tDevCap:\tMaxPayload %d bytes, PhantFunc %d"
                        .formatted(128 << field(can, 0, 3), (1 << field(can, 3, 2)) - 1));
        out.line(
                isEndpoint(type)
                        ? ", Latency L0s %s, L1 %s"
                                .formatted(L0S[field(can, 6, 3)], L1[field(can, 9, 3)])
                        : "");
        out.add("\t\t\tExtTag" + sign(can, 5));
        boolean powered = type == ENDPOINT || type == UPSTREAM || type == TO_PCI;
        if (powered || type == LEGACY_ENDPOINT) {
            out.add(" " + INDICATORS.of(can));
        }
        out.add(" RBE" + sign(can, 15));
        boolean resets = isEndpoint(type) || type == INTEGRATED;
        out.add(resets ? " FLReset" + sign(can, 28) : "");
        out.line(powered ? " SlotPowerLimit " + watts(can, 18, 26) : "");

        int control = config.u16(at + 8);
        out.line("\t\tDevCtl:\t" + ERRORS.of(control));
        out.add("\t\t\t" + DEVICE_CONTROL.of(control));
        out.add(type == TO_PCI ? " BrConfRtry" + sign(control, 15) : "");
        out.line(resets && (can & FLR) != 0 ? " FLReset" + sign(control, 15) : "");
        out.line(
                "\t\t\tMaxPayload %d bytes, MaxReadReq %d bytes"
                        .formatted(128 << field(control, 5, 3), 128 << field(control, 12, 3)));
        int status = config.u16(at + 0x0A);
        out.line("\t\tDevSta:\t%s %s".formatted(ERRORS.of(status), DEVICE_STATUS.of(status)));
    }

    private static void link(Lines out, ConfigView config, int at, int type) {
        long can = config.u32(at + 0x0C);
        int aspm = field(can, 10, 2);
        out.add(
                "\t\tLnkCap:\tPort #%d, Speed %s, Width x%d, ASPM %s"
                        .formatted(can >>> 24, speed(can & 0xF), field(can, 4, 6), ASPM[aspm]));
        if (aspm != 0) {
            out.add(", Exit Latency ");
            out.add((aspm & 1) != 0 ? "L0s " + L0S[field(can, 12, 3)] : "");
            out.add(aspm == 3 ? ", " : "");
            out.add((aspm & 2) != 0 ? "L1 " + L1[field(can, 15, 3)] : "");
        }
        out.line("").line("\t\t\t" + LINK_CAPABILITIES.of(can));

        int control = config.u16(at + 0x10);
        out.add("\t\tLnkCtl:\tASPM %s;".formatted(ASPM_ON[control & 3]));
        if (isEndpoint(type) || type == ROOT_PORT || type == TO_PCI) {
            out.add(" RCB %d bytes,".formatted((control & 8) != 0 ? 128 : 64));
        }
        out.line(" Disabled%s CommClk%s".formatted(sign(control, 4), sign(control, 6)));
        out.line("\t\t\t" + LINK_CONTROL.of(control));

        int status = config.u16(at + 0x12);
        int speed = status & 0xF;
        int width = field(status, 4, 6);
        out.line(
                "\t\tLnkSta:\tSpeed %s%s, Width x%d%s"
                        .formatted(
                                speed(speed),
                                compare(type, speed, (int) can & 0xF),
                                width,
                                compare(type, width, field(can, 4, 6))));
        out.line("\t\t\t" + LINK_STATUS.of(status));
    }

    private static String compare(int type, int is, int can) {
        return is > can ? " (overdriven)" : is == can || isDownstream(type) ? "" : " (downgraded)";
    }

    /** {@return a link speed by its code} */
    static String speed(long code) {
        return switch ((int) code) {
            case 1 -> "2.5GT/s";
            case 2 -> "5GT/s";
            case 3 -> "8GT/s";
            case 4 -> "16GT/s";
            case 5 -> "32GT/s";
            case 6 -> "64GT/s";
            default -> "unknown";
        };
    }

    private static void slot(Lines out, ConfigView config, int at) {
        long can = config.u32(at + 0x14);
        out.line("\t\tSltCap:\t" + SLOT_CAPABILITIES.of(can));
        out.line(
                "\t\t\tSlot #%d, PowerLimit %s; Interlock%s NoCompl%s"
                        .formatted(can >>> 19, watts(can, 7, 15), sign(can, 17), sign(can, 18)));
        int control = config.u16(at + 0x18);
        out.line("\t\tSltCtl:\tEnable: " + SLOT_CONTROL.of(control));
        out.line(
                "\t\t\tControl: AttnInd %s, PwrInd %s, Power%s Interlock%s"
                        .formatted(
                                INDICATOR[field(control, 6, 2)],
                                INDICATOR[field(control, 8, 2)],
                                sign(control, 10),
                                sign(control, 11)));
        int status = config.u16(at + 0x1A);
        out.line("\t\tSltSta:\tStatus: " + SLOT_STATUS.of(status));
        out.line("\t\t\tChanged: " + SLOT_CHANGES.of(status));
    }

    private static void root(Lines out, ConfigView config, int at) {
        out.line("\t\tRootCap: CRSVisible" + sign(config.u16(at + 0x1E), 0));
        out.line("\t\tRootCtl: " + ROOT_CONTROL.of(config.u16(at + 0x1C)));
        long status = config.u32(at + 0x20);
        out.line(
                "\t\tRootSta: PME ReqID %04x, PMEStatus%s PMEPending%s"
                        .formatted(status & 0xFFFF, sign(status, 16), sign(status, 17)));
    }

    private static String watts(long register, int low, int scaleLow) {
        int value = field(register, low, 8);
        int scale = field(register, scaleLow, 2);
        if (scale == 0 && value == 0xFF) {
            return ">600W";
        }
        if (scale == 0 && value >= 0xF0) {
            value = 250 + 25 * (value - 0xF0);
        }
        return value == 0
                ? "0W"
                : BigDecimal.valueOf(value, scale).stripTrailingZeros().toPlainString() + "W";
    }
}
