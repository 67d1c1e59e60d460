package org.peerlane.shell.pci;

import static org.peerlane.shell.pci.Flags.field;
import static org.peerlane.shell.pci.Flags.sign;

/** Single Root I/O Virtualization (PCIe 5.0 §9.3.3). */
final class VirtualFunctionText {
    private static final Flags CONTROL =
            new Flags("Enable=0 Migration=1 Interrupt=2 MSE=3 ARIHierarchy=4 10BitTagReq=5");
    private static final int BARS = 0x24;

    private VirtualFunctionText() {}

    static void show(Lines out, ConfigView config, int at) {
        long can = config.u32(at + 4);
        out.line(
                "\t\tIOVCap:\tMigration%s 10BitTagReq%s Interrupt Message Number: %03x"
                        .formatted(sign(can, 0), sign(can, 2), field(can, 21, 11)));
        out.line("\t\tIOVCtl:\t" + CONTROL.of(config.u16(at + 8)));
        out.line("\t\tIOVSta:\tMigration" + sign(config.u16(at + 0x0A), 0));
        out.line(
                "\t\tInitial VFs: %d, Total VFs: %d, Number of VFs: %d, Function Dependency Link: %02x"
                        .formatted(
                                config.u16(at + 0x0C),
                                config.u16(at + 0x0E),
                                config.u16(at + 0x10),
                                config.u8(at + 0x12)));
        out.line(
                "\t\tVF offset: %d, stride: %d, Device ID: %04x"
                        .formatted(
                                config.u16(at + 0x14),
                                config.u16(at + 0x16),
                                config.u16(at + 0x1A)));
        out.line(
                "\t\tSupported Page Size: %08x, System Page Size: %08x"
                        .formatted(config.u32(at + 0x1C), config.u32(at + 0x20)));
        bars(out, config, at + BARS);
        long migration = config.u32(at + 0x3C);
        out.line(
                "\t\tVF Migration: offset: %08x, BIR: %x"
                        .formatted(migration & ~7L, migration & 7));
    }

    private static void bars(Lines out, ConfigView config, int first) {
        for (int i = 0; i < 6; i++) {
            long low = config.u32(first + 4 * i);
            if (low == 0 || low == 0xFFFF_FFFFL) {
                continue;
            }
            boolean wide = field(low, 1, 2) == 2;
            out.add("\t\tRegion %d: Memory at ".formatted(i));
            if (wide) {
                i++;
                out.add("%08x".formatted(config.u32(first + 4 * i)));
            }
            out.line(
                    "%08x (%s-bit, %sprefetchable)"
                            .formatted(
                                    low & ~0xFL,
                                    field(low, 1, 2) == 0 ? "32" : "64",
                                    field(low, 3, 1) == 0 ? "non-" : ""));
        }
    }
}
