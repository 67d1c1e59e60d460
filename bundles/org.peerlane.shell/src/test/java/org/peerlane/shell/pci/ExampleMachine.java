package org.peerlane.shell.pci;

/**
 * A machine that has one of everything: a host bridge, root ports with and without something behind
 * them, a switch, an adapter with two functions and virtual ones, NVMe with address translation,
 * and edu in the root complex.
 */
final class ExampleMachine {
    private ExampleMachine() {}

    static FakeBus bus() {
        return new FakeBus(
                new FakeFunction("00:00.0", 0x8086, 0x29C0, 0x060000, 0)
                        .put(0x04, 2, 0x0006)
                        .put(0x2C, 4, 0x1100_1AF4),
                port("00:01.0", 1, 1, 1)
                        .memoryWindow(0xFEA0, 0xFEB0)
                        .prefetchableWindow(0x8_0000_0000L, 0x8_000F_FFFFL),
                port("00:02.0", 2, 2, 5)
                        .memoryWindow(0xFE00, 0xFE70)
                        .prefetchableWindow(0x8_1000_0000L, 0x8_3FFF_FFFFL),
                port("00:03.0", 3, 6, 6),
                edu("00:04.0"),
                nvme("01:00.0", 0xFEA0_0004L),
                upstream(),
                downstream("03:00.0", 4, 0).memoryWindow(0xFE00, 0xFE20),
                downstream("03:01.0", 5, 1)
                        .memoryWindow(0xFE40, 0xFE40)
                        .prefetchableWindow(0x8_1000_0000L, 0x8_1FFF_FFFFL),
                adapter("04:00.0", 0xFE00_0000L).put(0x0E, 1, 0x80),
                adapter("04:00.1", 0xFE10_0000L).put(0x0E, 1, 0x80),
                nvme("05:00.0", 0x8_1000_000CL));
    }

    static FakeFunction edu(String address) {
        return new FakeFunction(address, 0x1234, 0x11E8, 0x00FF00, 0x10)
                .put(0x04, 2, 0x0006)
                .put(0x2C, 4, 0x1100_1AF4)
                .bar(0, 0xFEB0_0000L, 1 << 20)
                .capability(0x40, 0x01, 0x0003, 0x0000_0008)
                .capability(0x50, 0x05, 0x0181, 0xFEE0_0000, 0, 0x20, 0, 0)
                .capability(0x70, 0x10, 0x0092, 0x1000_8021, 0x0000_2810, 0, 0, 0, 0, 0, 0, 0x10);
    }

    /** A root port with a hot-plug slot. */
    private static FakeFunction port(String address, int slot, int secondary, int subordinate) {
        return new FakeFunction(address, 0x1B36, 0x000C, 0x060400, 0)
                .put(0x04, 2, 0x0507)
                .put(0x3C, 2, 0x010B)
                .bridge(0, secondary, subordinate)
                .put(0x3E, 2, 0x0003)
                .capability(
                        0x54,
                        0x10,
                        0x0142,
                        0x0000_8022,
                        0x0009_281F,
                        0x0011_3D04 | slot << 24,
                        0x3012_0840,
                        0x0000_1F5B | slot << 19,
                        0x0140_07C0,
                        0x0001_0010,
                        0,
                        0x0000_0C33,
                        0x20,
                        0x8000_000E,
                        0x0001_0004)
                .capability(0x48, 0x0D, 0, 0x0000_1B36)
                .capability(0xA0, 0x11, 0x8000, 0x0000_0000, 0x0000_0801)
                .extended(
                        0x100,
                        0x0001,
                        2,
                        0x0010_0000,
                        0x0040_0000,
                        0x0046_2030,
                        0x2001,
                        0xE000,
                        0x00B4,
                        0x4A00_0001,
                        0x0100_000F,
                        0xFEB0_0000,
                        0x1,
                        0x7,
                        0x0800_0075,
                        0x0100_0200)
                .extended(0x148, 0x000D, 1, 0x001D_005F)
                .extended(0x160, 0x001D, 1, 0x0017_10A2, 0x1F08_0113);
    }

    private static FakeFunction upstream() {
        return new FakeFunction("02:00.0", 0x104C, 0x8232, 0x060400, 2)
                .put(0x04, 2, 0x0107)
                .bridge(2, 3, 5)
                .memoryWindow(0xFE00, 0xFE40)
                .prefetchableWindow(0x8_1000_0000L, 0x8_1FFF_FFFFL)
                .put(0x1E, 2, 0x2000)
                .capability(0x70, 0x05, 0x0080)
                .capability(
                        0x90,
                        0x10,
                        0x0052,
                        0x0190_8F21,
                        0x0000_2037,
                        0x0003_7C13,
                        0x1012_0042,
                        0,
                        0,
                        0,
                        0,
                        0x0000_0840,
                        0,
                        0x0000_0006,
                        0x001F_1043)
                .extended(0x100, 0x0003, 1, 0x1234_5678, 0x9ABC_DEF0);
    }

    private static FakeFunction downstream(String address, int bus, int slot) {
        return new FakeFunction(address, 0x104C, 0x8233, 0x060400, 2)
                .put(0x04, 2, 0x0007)
                .bridge(3, bus, bus)
                .capability(
                        0x90,
                        0x10,
                        0x0162,
                        0x8001,
                        0x2810,
                        0x0211_0C12 | slot << 24,
                        0x2011_0010,
                        0x0008_0060 | slot << 19,
                        0x0008_1028)
                .extended(0x100, 0x000D, 1, 0x0000_007F | slot << 18);
    }

    private static FakeFunction adapter(String address, long bar) {
        return new FakeFunction(address, 0x8086, 0x10C9, 0x020000, 1)
                .put(0x04, 2, 0x0406)
                .put(0x0C, 1, 0x10)
                .put(0x2C, 4, 0xA03C_8086)
                .put(0x3C, 2, 0x0100)
                .bar(0, bar, 128 << 10)
                .bar(3, bar + 0x8_0000, 16 << 10)
                .put(0x30, 4, 0xFE20_0000L)
                .capability(0x40, 0x01, 0xC823, 0x0000_2108)
                .capability(0x70, 0x11, 0x8009, 0x0000_0003, 0x0000_2003)
                .capability(
                        0xA0,
                        0x10,
                        0x0002,
                        0x1000_8CC2,
                        0x0010_2837,
                        0x0003_2C41,
                        0x1041_0040,
                        0,
                        0,
                        0,
                        0,
                        0x0000_001F,
                        0,
                        0,
                        0)
                .extended(0x100, 0x0001, 1, 0, 0, 0x0006_2030)
                .extended(0x140, 0x0003, 1, 0xFF12_3456, 0x0212_35FF)
                .extended(0x150, 0x000E, 1, 0x0010_0100)
                .extended(
                        0x160,
                        0x0010,
                        1,
                        0,
                        0x0000_0019,
                        0x0008_0008,
                        0x0000_0002,
                        0x0002_0180,
                        0x10CA_0000,
                        0x0000_0553,
                        0x0000_0001,
                        0xFE30_000C,
                        0,
                        0,
                        0xFE34_0004,
                        0);
    }

    private static FakeFunction nvme(String address, long bar) {
        return new FakeFunction(address, 0x1B36, 0x0010, 0x010802, 2)
                .put(0x04, 2, 0x0406)
                .put(0x2C, 4, 0x1100_1AF4)
                .bar(0, bar, 16 << 10)
                .capability(0x40, 0x11, 0x8040, 0x0000_2000, 0x0000_3000)
                .capability(0x80, 0x10, 0x0002, 0x1000_8FC0, 0x0000_2810, 0x0003_FC43, 0x1043_0008)
                .capability(0x60, 0x01, 0x0003, 0x0000_0008)
                .extended(0x100, 0x000F, 1, 0x8000_0060)
                .extended(0x110, 0x0013, 1, 0x0100_0001, 0x200, 0x20)
                .extended(0x120, 0x001B, 1, 0x0001_1406)
                .extended(0x130, 0x0015, 1, 0x0000_03F0, 0x0000_0421, 0, 0)
                .extended(0x150, 0x0018, 1, 0x1003_0C01)
                .extended(0x158, 0x000B, 1, 0x0181_0002);
    }
}
