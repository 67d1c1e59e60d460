package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.Flags.field;
import static org.peerlane.shell.pci.Flags.sign;

/** ATS, PRI, PASID and ARI (PCIe 5.0 §10.5 and §7.8). */
final class TranslationText {
    private TranslationText() {}

    static void ats(Lines out, ConfigView config, int at) {
        out.line(
                "\t\tATSCap:\tInvalidate Queue Depth: %02x"
                        .formatted(field(config.u16(at + 4), 0, 5)));
        int control = config.u16(at + 6);
        out.line(
                "\t\tATSCtl:\tEnable%s, Smallest Translation Unit: %02x"
                        .formatted(sign(control, 15), field(control, 0, 5)));
    }

    static void pri(Lines out, ConfigView config, int at) {
        int control = config.u16(at + 4);
        out.line("\t\tPRICtl: Enable%s Reset%s".formatted(sign(control, 0), sign(control, 1)));
        int status = config.u16(at + 6);
        out.line(
                "\t\tPRISta: RF%s UPRGI%s Stopped%s"
                        .formatted(sign(status, 0), sign(status, 1), sign(status, 8)));
        out.line(
                "\t\tPage Request Capacity: %08x, Page Request Allocation: %08x"
                        .formatted(config.u32(at + 8), config.u32(at + 12)));
    }

    static void pasid(Lines out, ConfigView config, int at) {
        int can = config.u16(at + 4);
        out.line(
                "\t\tPASIDCap: Exec%s Priv%s, Max PASID Width: %02x"
                        .formatted(sign(can, 1), sign(can, 2), field(can, 8, 5)));
        int control = config.u16(at + 6);
        out.line(
                "\t\tPASIDCtl: Enable%s Exec%s Priv%s"
                        .formatted(sign(control, 0), sign(control, 1), sign(control, 2)));
    }

    static void ari(Lines out, ConfigView config, int at) {
        int can = config.u16(at + 4);
        out.line(
                "\t\tARICap:\tMFVC%s ACS%s, Next Function: %d"
                        .formatted(sign(can, 0), sign(can, 1), field(can, 8, 8)));
        int control = config.u16(at + 6);
        out.line(
                "\t\tARICtl:\tMFVC%s ACS%s, Function Group: %d"
                        .formatted(sign(control, 0), sign(control, 1), field(control, 4, 3)));
    }
}
