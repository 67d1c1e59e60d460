package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.Flags.field;

/** Advanced Error Reporting (PCIe 5.0 §7.8.4). */
final class AerText {
    private static final Flags UNCORRECTABLE =
            new Flags(
                    "DLP=4 SDES=5 TLP=12 FCP=13 CmpltTO=14 CmpltAbrt=15 UnxCmplt=16 RxOF=17"
                            + " MalfTLP=18 ECRC=19 UnsupReq=20 ACSViol=21");
    private static final Flags CORRECTABLE =
            new Flags("RxErr=0 BadTLP=6 BadDLLP=7 Rollover=8 Timeout=12 AdvNonFatalErr=13");
    private static final Flags CHECKS =
            new Flags("ECRCGenCap=5 ECRCGenEn=6 ECRCChkCap=7 ECRCChkEn=8");
    private static final Flags HEADERS =
            new Flags("MultHdrRecCap=9 MultHdrRecEn=10 TLPPfxPres=11 HdrLogCap=12");
    private static final Flags ROOT_COMMAND = new Flags("CERptEn=0 NFERptEn=1 FERptEn=2");
    private static final Flags ROOT_STATUS =
            new Flags("CERcvd=0 MultCERcvd=1 UERcvd=2 MultUERcvd=3");
    private static final Flags ROOT_MESSAGES = new Flags("FirstFatal=4 NonFatalMsg=5 FatalMsg=6");

    private AerText() {}

    static void show(Lines out, ConfigView config, int at, int portType) {
        out.line("\t\tUESta:\t" + UNCORRECTABLE.of(config.u32(at + 0x04)));
        out.line("\t\tUEMsk:\t" + UNCORRECTABLE.of(config.u32(at + 0x08)));
        out.line("\t\tUESvrt:\t" + UNCORRECTABLE.of(config.u32(at + 0x0C)));
        out.line("\t\tCESta:\t" + CORRECTABLE.of(config.u32(at + 0x10)));
        out.line("\t\tCEMsk:\t" + CORRECTABLE.of(config.u32(at + 0x14)));
        long control = config.u32(at + 0x18);
        out.line(
                "\t\tAERCap:\tFirst Error Pointer: %02x, %s"
                        .formatted(field(control, 0, 5), CHECKS.of(control)));
        out.line("\t\t\t" + HEADERS.of(control));
        out.line(
                "\t\tHeaderLog: %08x %08x %08x %08x"
                        .formatted(
                                config.u32(at + 0x1C),
                                config.u32(at + 0x20),
                                config.u32(at + 0x24),
                                config.u32(at + 0x28)));
        if (portType == ExpressText.ROOT_PORT || portType == ExpressText.EVENT_COLLECTOR) {
            root(out, config, at);
        }
    }

    private static void root(Lines out, ConfigView config, int at) {
        out.line("\t\tRootCmd: " + ROOT_COMMAND.of(config.u32(at + 0x2C)));
        long status = config.u32(at + 0x30);
        out.line("\t\tRootSta: " + ROOT_STATUS.of(status));
        out.line("\t\t\t %s IntMsg %d".formatted(ROOT_MESSAGES.of(status), field(status, 27, 5)));
        out.line(
                "\t\tErrorSrc: ERR_COR: %04x ERR_FATAL/NONFATAL: %04x"
                        .formatted(config.u16(at + 0x34), config.u16(at + 0x36)));
    }
}
