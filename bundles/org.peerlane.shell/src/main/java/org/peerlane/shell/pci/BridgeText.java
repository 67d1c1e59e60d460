package org.peerlane.shell.pci;

/** What lspci says of a type 1 header: bus numbers, windows, secondary status (PC-10). */
final class BridgeText {
    private static final Flags STATUS_LOW = new Flags("66MHz=5 FastB2B=7 ParErr=8");
    private static final Flags STATUS_HIGH =
            new Flags(">TAbort=11 <TAbort=12 <MAbort=13 <SERR=14 <PERR=15");
    private static final Flags CONTROL =
            new Flags("Parity=0 SERR=1 NoISA=2 VGA=3 VGA16=4 MAbort=5 >Reset=6 FastB2B=7");
    private static final Flags TIMERS =
            new Flags("PriDiscTmr=8 SecDiscTmr=9 DiscTmrStat=10 DiscTmrSERREn=11");

    private BridgeText() {}

    static void show(Lines out, ConfigView config, int verbose) {
        out.line(
                "\tBus: primary=%02x, secondary=%02x, subordinate=%02x, sec-latency=%d"
                        .formatted(
                                config.u8(0x18),
                                config.u8(0x19),
                                config.u8(0x1A),
                                config.u8(0x1B)));
        ports(out, config, verbose);
        int base = config.u16(0x20);
        int limit = config.u16(0x22);
        if ((base & 0xF) != 0 || (limit & 0xF) != 0) {
            out.line("\t!!! Unknown memory range types %x/%x".formatted(base, limit));
        } else {
            range(out, "Memory", BridgeWindow.memory(config), 32, verbose);
        }
        base = config.u16(0x24);
        limit = config.u16(0x26);
        if ((base & 0xF) != (limit & 0xF) || (base & 0xF) > 1) {
            out.line("\t!!! Unknown prefetchable memory range types %x/%x".formatted(base, limit));
        } else {
            int bits = (base & 0xF) == 1 ? 64 : 32;
            range(out, "Prefetchable memory", BridgeWindow.prefetchable(config), bits, verbose);
        }
        if (verbose > 1) {
            int status = config.u16(0x1E);
            out.line(
                    "\tSecondary status: %s DEVSEL=%s %s"
                            .formatted(
                                    STATUS_LOW.of(status),
                                    HeaderText.devsel(status),
                                    STATUS_HIGH.of(status)));
        }
        Bars.rom(out, config, 0x38);
        if (verbose > 1) {
            int control = config.u16(0x3E);
            out.line("\tBridgeCtl: " + CONTROL.of(control));
            out.line("\t\t" + TIMERS.of(control));
        }
    }

    private static void ports(Lines out, ConfigView config, int verbose) {
        int base = config.u8(0x1C);
        int limit = config.u8(0x1D);
        if ((base & 0xF) != (limit & 0xF) || (base & 0xF) > 1) {
            out.line("\t!!! Unknown I/O range types %x/%x".formatted(base, limit));
            return;
        }
        boolean wide = (base & 0xF) == 1;
        long first = (long) (base & 0xF0) << 8;
        long last = (long) (limit & 0xF0) << 8;
        if (wide) {
            first |= (long) config.u16(0x30) << 16;
            last |= (long) config.u16(0x32) << 16;
        }
        range(out, "I/O", new BridgeWindow(first, last + 0xFFF), wide ? 32 : 16, verbose);
    }

    private static void range(Lines out, String what, BridgeWindow window, int bits, int verbose) {
        out.add("\t" + what + " behind bridge:");
        if (window.isOpen() || verbose > 2) {
            int digits = (bits + 3) / 4;
            out.add(
                    " %s-%s"
                            .formatted(
                                    digits(window.first(), digits), digits(window.last(), digits)));
        }
        out.add(window.isOpen() ? Bars.size(window.bytes()) : " [disabled]");
        out.line(" [%d-bit]".formatted(bits));
    }

    private static String digits(long value, int count) {
        String hex = Long.toHexString(value);
        return "0".repeat(Math.max(0, count - hex.length())) + hex;
    }
}
