package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.Flags.field;
import static org.peerlane.shell.pci.Flags.sign;

import org.jspecify.annotations.Nullable;
import org.peerlane.shell.pci.CapabilityList.Item;

/**
 * What lspci says of the extended capabilities (PC-22, PC-23). Errors are {@link AerText}'s,
 * address translation and virtual functions {@link TranslationText}'s.
 */
final class ExtendedText {
    private static final Flags ACS =
            new Flags(
                    "SrcValid=0 TransBlk=1 ReqRedir=2 CmpltRedir=3 UpstreamFwd=4 EgressCtrl=5"
                            + " DirectTrans=6");

    private final Lines out;
    private final ConfigView config;
    private final int verbose;
    private final int portType;

    private ExtendedText(Lines out, ConfigView config, int verbose, int portType) {
        this.out = out;
        this.config = config;
        this.verbose = verbose;
        this.portType = portType;
    }

    static void show(Lines out, ConfigView config, int verbose, int portType) {
        var text = new ExtendedText(out, config, verbose, portType);
        for (Item item : CapabilityList.extended(config)) {
            out.add(
                    verbose > 1
                            ? "\tCapabilities: [%03x v%d] ".formatted(item.offset(), item.version())
                            : "\tCapabilities: [%03x] ".formatted(item.offset()));
            if (item.flaw() != null) {
                out.line(item.flaw());
            } else {
                text.one(item);
            }
        }
    }

    private void one(Item item) {
        int at = item.offset();
        switch (item.id()) {
            case 0x0001 ->
                    titled(
                            "Advanced Error Reporting",
                            () -> AerText.show(out, config, at, portType));
            case 0x0003 -> serialNumber(at);
            case 0x000B -> vendor(at);
            case 0x000D -> titled("Access Control Services", () -> acs(at));
            case 0x000E ->
                    titled(
                            "Alternative Routing-ID Interpretation (ARI)",
                            () -> TranslationText.ari(out, config, at));
            case 0x000F ->
                    titled(
                            "Address Translation Service (ATS)",
                            () -> TranslationText.ats(out, config, at));
            case 0x0010 ->
                    titled(
                            "Single Root I/O Virtualization (SR-IOV)",
                            () -> VirtualFunctionText.show(out, config, at));
            case 0x0013 ->
                    titled(
                            "Page Request Interface (PRI)",
                            () -> TranslationText.pri(out, config, at));
            case 0x0015 -> titled("Physical Resizable BAR", () -> resizable(at));
            case 0x0018 -> titled("Latency Tolerance Reporting", () -> ltr(at));
            case 0x001B ->
                    titled(
                            "Process Address Space ID (PASID)",
                            () -> TranslationText.pasid(out, config, at));
            case 0x001D -> titled("Downstream Port Containment", () -> dpc(at));
            case 0x0024 -> titled("Virtual Resizable BAR", () -> resizable(at));
            default -> other(item.id());
        }
    }

    private void titled(String title, Runnable details) {
        out.line(title);
        if (verbose > 1) {
            details.run();
        }
    }

    /** Those that are named, but not taken apart. */
    private void other(int id) {
        String name = name(id);
        out.line(name == null ? "Extended Capability ID 0x%02x".formatted(id) : name);
    }

    private static @Nullable String name(int id) {
        return switch (id) {
            case 0x0000 -> "Null";
            case 0x0002, 0x0009 -> "Virtual Channel";
            case 0x0004 -> "Power Budgeting <?>";
            case 0x0007 -> "Root Complex Event Collector Endpoint Association";
            case 0x0008 -> "Multi-Function Virtual Channel <?>";
            case 0x0012 -> "Multicast";
            case 0x0016 -> "Dynamic Power Allocation <?>";
            case 0x0017 -> "Transaction Processing Hints";
            case 0x0019 -> "Secondary PCI Express";
            case 0x001E -> "L1 PM Substates";
            case 0x001F -> "Precision Time Measurement";
            case 0x0023 -> "Designated Vendor-Specific <?>";
            case 0x0025 -> "Data Link Feature <?>";
            case 0x0026 -> "Physical Layer 16.0 GT/s <?>";
            case 0x0027 -> "Lane Margining at the Receiver <?>";
            default -> null;
        };
    }

    private void serialNumber(int at) {
        long number = config.u64(at + 4);
        StringBuilder text = new StringBuilder("Device Serial Number ");
        for (int shift = 56; shift >= 0; shift -= 8) {
            text.append("%02x".formatted(number >>> shift & 0xFF)).append(shift == 0 ? "" : "-");
        }
        out.line(text.toString());
    }

    private void vendor(int at) {
        long header = config.u32(at + 4);
        out.line(
                "Vendor Specific Information: ID=%04x Rev=%d Len=%03x <?>"
                        .formatted(header & 0xFFFF, field(header, 16, 4), field(header, 20, 12)));
    }

    private void acs(int at) {
        out.line("\t\tACSCap:\t" + ACS.of(config.u16(at + 4)));
        out.line("\t\tACSCtl:\t" + ACS.of(config.u16(at + 6)));
    }

    private void ltr(int at) {
        out.line("\t\tMax snoop latency: " + nanos(config.u16(at + 4)) + "ns");
        out.line("\t\tMax no snoop latency: " + nanos(config.u16(at + 6)) + "ns");
    }

    private static long nanos(int latency) {
        return (long) field(latency, 0, 10) << 5 * field(latency, 10, 3);
    }

    private void dpc(int at) {
        int can = config.u16(at + 4);
        out.line(
                "\t\tDpcCap:\tINT Msg #%d, RPExt%s PoisonedTLP%s SwTrigger%s RP PIO Log %d, DL_ActiveErr%s"
                        .formatted(
                                field(can, 0, 5),
                                sign(can, 5),
                                sign(can, 6),
                                sign(can, 7),
                                field(can, 8, 4),
                                sign(can, 12)));
        int control = config.u16(at + 6);
        out.line(
                "\t\tDpcCtl:\tTrigger:%x Cmpl%s INT%s ErrCor%s PoisonedTLP%s SwTrigger%s DL_ActiveErr%s"
                        .formatted(
                                field(control, 0, 2),
                                sign(control, 2),
                                sign(control, 3),
                                sign(control, 4),
                                sign(control, 5),
                                sign(control, 6),
                                sign(control, 7)));
        int status = config.u16(at + 8);
        out.line(
                "\t\tDpcSta:\tTrigger%s Reason:%02x INT%s RPBusy%s TriggerExt:%02x RP PIO ErrPtr:%02x"
                        .formatted(
                                sign(status, 0),
                                field(status, 1, 2),
                                sign(status, 3),
                                sign(status, 4),
                                field(status, 5, 2),
                                field(status, 8, 5)));
        out.line("\t\tSource:\t%04x".formatted(config.u16(at + 0x0A)));
    }

    /** How many BARs there are is said by the first control register (PCIe 5.0 §7.8.6.3). */
    private void resizable(int at) {
        int count = field(config.u32(at + 8), 5, 3);
        if (count < 1 || count > 6) {
            out.line(
                    "\t\t<error in resizable BAR: num_bars=%d is out of specification>"
                            .formatted(count));
            return;
        }
        for (int i = 0; i < count; i++) {
            long sizes = config.u32(at + 4 + 8 * i) >>> 4;
            long control = config.u32(at + 8 + 8 * i);
            out.add(
                    "\t\tBAR %d: current size: %s"
                            .formatted(field(control, 0, 3), size(field(control, 8, 6))));
            long all = sizes | control >>> 16 << 28;
            if (all != 0) {
                out.add(", supported:");
            }
            for (int power = 0; power < 44; power++) {
                out.add((all >>> power & 1) == 0 ? "" : " " + size(power));
            }
            out.line("");
        }
    }

    /** {@return 2^power MiB} */
    private static String size(int power) {
        String[] units = {"MB", "GB", "TB", "PB", "EB"};
        return power >= 44 ? "<unknown>" : (1 << power % 10) + units[power / 10];
    }
}
