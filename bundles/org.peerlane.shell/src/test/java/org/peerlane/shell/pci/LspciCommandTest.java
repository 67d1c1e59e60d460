package org.peerlane.shell.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("lspci")
class LspciCommandTest {
    private static String of(FakeBus bus, String... arguments) {
        @Nullable String text = new LspciCommand(bus).lspci(arguments);
        return text == null ? "" : text;
    }

    private static long linesWith(String part, String text) {
        return text.lines().filter(l -> l.contains(part)).count();
    }

    @Test
    void showsWhereTheBusHasPutABarAndItsSize() {
        FakeBus bus = new FakeBus(ExampleMachine.edu("00:04.0").in("edu0"));
        assertThat(of(bus, "-v").lines())
                .contains(
                        "\tDeviceName: edu0",
                        "\tMemory at feb00000 (32-bit, non-prefetchable) [size=1M]");
    }

    @Test
    void marksABarThatIsNotDecodedAndOneWhoseRegisterHasLostItsAddress() {
        FakeFunction edu = ExampleMachine.edu("00:04.0").put(0x04, 2, 0);
        assertThat(of(new FakeBus(edu), "-v"))
                .contains("feb00000 (32-bit, non-prefetchable) [disabled] [size=1M]");
        edu.put(0x10, 4, 0);
        assertThat(of(new FakeBus(edu), "-v"))
                .contains("feb00000 [virtual] (32-bit, non-prefetchable) [size=1M]");
    }

    @Rule("PC-12")
    @Test
    void showsPortsOfIoSpaceWithTheirSize() {
        FakeFunction card = ExampleMachine.edu("00:04.0").io(1, 0xC041, 64).put(0x04, 2, 3);
        assertThat(of(new FakeBus(card), "-v")).contains("\n\tI/O ports at c040 [size=64]\n");
        assertThat(of(new FakeBus(card), "-vv"))
                .contains("\n\tRegion 1: I/O ports at c040 [size=64]\n");
        card.put(0x04, 2, 2);
        assertThat(of(new FakeBus(card), "-v"))
                .contains("\n\tI/O ports at c040 [disabled] [size=64]\n");
        card.put(0x14, 4, 1);
        assertThat(of(new FakeBus(card), "-v"))
                .contains("\n\tI/O ports at c040 [virtual] [size=64]\n");
    }

    @Rule("PC-18")
    @Test
    void showsTheRomWithItsSizeAndWhetherItIsSwitchedOn() {
        FakeFunction card = ExampleMachine.edu("00:04.0").rom(0xFEB4_0000L, 1 << 18);
        assertThat(of(new FakeBus(card), "-v"))
                .contains("\n\tExpansion ROM at feb40000 [disabled] [size=256K]\n");
        card.put(0x30, 4, 0xFEB4_0001L);
        assertThat(of(new FakeBus(card), "-v"))
                .contains("\n\tExpansion ROM at feb40000 [size=256K]\n");
        card.put(0x04, 2, 0);
        assertThat(of(new FakeBus(card), "-v"))
                .contains("\n\tExpansion ROM at feb40000 [disabled by cmd] [size=256K]\n");
        card.put(0x30, 4, 0);
        assertThat(of(new FakeBus(card), "-v"))
                .contains("\n\tExpansion ROM at feb40000 [virtual] [disabled] [size=256K]\n");
    }

    @Rule("PC-4")
    @Test
    void ofAFunctionThatLeavesSaysThatItsHeaderIsUnknown() {
        FakeFunction edu = ExampleMachine.edu("00:04.0");
        FakeBus bus = new FakeBus(edu, ExampleMachine.edu("00:05.0"));
        edu.leave();
        assertThat(of(bus, "-vv").lines().limit(4))
                .containsExactly(
                        "00:04.0 Unclassified device [00ff]: QEMU Educational device (rev ff)"
                                + " (prog-if ff)",
                        "\t!!! Unknown header type 7f",
                        "",
                        "00:05.0 Unclassified device [00ff]: QEMU Educational device (rev 10)");
        assertThat(of(bus, "-t")).isEqualTo("-[0000:00]-+-04.0\n           \\-05.0");
        assertThat(of(bus, "-x", "-s", "4")).contains("\n00: ff ff ff ff");
    }

    @Rule("PC-21")
    @Test
    void endsACapabilityListThatLoops() {
        FakeFunction edu = ExampleMachine.edu("00:04.0").put(0x71, 1, 0x40);
        String text = of(new FakeBus(edu), "-v");
        assertThat(text).contains("\tCapabilities: [40] <chain looped>");
        assertThat(linesWith("Capabilities:", text)).isEqualTo(4);
    }

    @Rule("PC-21")
    @Test
    void endsACapabilityListAfter48Items() {
        FakeFunction edu = ExampleMachine.edu("00:04.0").put(0x34, 1, 0x08);
        for (int at = 0x08; at < 0xFC; at += 4) {
            edu.put(at, 4, at == 0x0C ? 0x1009 : at + 4 << 8 | 0x09);
        }
        String text = of(new FakeBus(edu), "-v");
        assertThat(linesWith("Vendor Specific", text)).isEqualTo(48);
        assertThat(linesWith("<chain too long>", text)).isEqualTo(1);
    }

    @Rule("PC-22")
    @Test
    void endsAnExtendedListThatLoops() {
        FakeFunction edu =
                ExampleMachine.edu("00:04.0")
                        .extended(0x100, 0x000B, 1, 0x0100_0001)
                        .extended(0x110, 0x000B, 1, 0x0100_0002);
        edu.put(0x112, 2, 0x1001);
        assertThat(of(new FakeBus(edu), "-v")).contains("[100] <chain looped>");
    }

    @Test
    void endsAListWithACapabilityThatIsNotThere() {
        FakeFunction edu = ExampleMachine.edu("00:04.0").put(0x41, 1, 0xF0).put(0xF0, 1, 0xFF);
        assertThat(of(new FakeBus(edu), "-v")).contains("[f0] <chain broken>");
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "-s,00:04.0,1", "-s,4,1", "-s,:04.0,1", "-s,02:,1", "-s,.1,1", "-s,0000:04:00.1,1",
        "-s,1:04:,0", "-s,0000::,12", "-s,*:4,1", "-d,1234:,1", "-d,:11e8,1", "-d,::0108,2",
        "-d,::01xx,2", "-d,::0604:00,6", "-d,8086:10c9:0200,2", "-s04:00.0,,1"
    })
    void showsTheFunctionsThatAFilterSelects(String option, @Nullable String value, int count) {
        String[] arguments = value == null ? new String[] {option} : new String[] {option, value};
        assertThat(of(ExampleMachine.bus(), arguments).lines().count()).isEqualTo(count);
    }

    @ParameterizedTest(name = "{0} is refused")
    @CsvSource({
        "-q,-q",
        "-vq,(in -vq)",
        "00:04.0,-s 00:04.0",
        "-s,nothing follows -s",
        "-s zz,zz",
        "-s 00:20.0,0x20 is too large",
        "-s 1:2:3:4,1:2:3:4",
        "-d 1234,1234",
        "-d 12345:,0x12345 is too large"
    })
    void refusesWhatItDoesNotKnowInOneLine(String arguments, String part) {
        assertThatThrownBy(() -> of(ExampleMachine.bus(), arguments.split(" ", -1)))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith("EINVAL: ")
                .hasMessageContaining(part)
                .extracting(e -> String.valueOf(e.getMessage()).lines().count())
                .isEqualTo(1L);
    }

    @Test
    void showsTheSegmentOnceThereIsMoreThanOne() {
        FakeBus bus =
                new FakeBus(ExampleMachine.edu("00:04.0"), ExampleMachine.edu("0001:00:04.0"));
        assertThat(of(bus, "-n")).startsWith("0000:00:04.0 00ff: 1234:11e8 (rev 10)\n0001:");
        assertThat(of(bus, "-t")).isEqualTo("-+-[0001:00]---04.0\n \\-[0000:00]---04.0");
    }

    @Test
    void drawsNothingBehindABridgeThatIsNotConfigured() {
        FakeFunction port =
                new FakeFunction("00:01.0", 0x1B36, 0x000C, 0x060400, 0).bridge(0, 0, 0);
        assertThat(of(new FakeBus(port, ExampleMachine.edu("00:04.0")), "-t"))
                .isEqualTo("-[0000:00]-+-01.0-[00]--\n           \\-04.0");
    }

    @Test
    void drawsThePartOfTheTreeBelowABridge() {
        assertThat(of(ExampleMachine.bus(), "-t", "-s", "02:00.0"))
                .isEqualTo(
                        """
                        0000:02:00.0-[03-05]--+-00.0-[04]--+-00.0
                                              |            \\-00.1
                                              \\-01.0-[05]----00.0\
                        """);
    }

    @Test
    void saysNothingWhereThereIsNothing() {
        assertThat(new LspciCommand(new FakeBus()).lspci()).isNull();
        assertThat(new LspciCommand(new FakeBus()).lspci("-tv")).isNull();
    }
}
