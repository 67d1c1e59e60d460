package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.IoPorts;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("I/O space")
class IoSpaceTest {
    private static final int BAR1 = 0x14;
    private static final int COMMAND = 0x04;
    private static final int PMCSR = 4;
    private static final long ONES = 0xFFFF_FFFFL;

    private static final FunctionLayout CARD =
            FunctionLayout.of(TestMachine.VENDOR, 0x11E8, 0x00FF00)
                    .bar(BarLayout.registers(0, 4096, false, false))
                    .bar(BarLayout.io(1, 64))
                    .with(new CapabilityLayout.PowerManagement(false, false, true, 0))
                    .with(CapabilityLayout.Express.plain())
                    .build();

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(
                            new PortConfig("rp0", "00:01.0", 0, true, true),
                            new PortConfig("rp1", "00:02.0", 0, true, true, 0, 16),
                            new PortConfig("rp2", "00:03.0", 0, true, true, 0, 0),
                            new PortConfig("sw0", "rp0", 3, true, true)),
                    false);
    private final TestDevice.Type type = new TestDevice.Type(CARD);

    IoSpaceTest() {
        machine.root.addType(type, "io", TypeVersion.of(1, 0, 0));
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private PcieFunction plug(String port) {
        machine.root.addSlot(SlotConfig.below(port, "at " + port, "io", Map.of()));
        machine.settle();
        PcieFunction function = machine.function("at " + port);
        function.enable(true, true);
        function.enablePorts(true);
        return function;
    }

    private long in(long port) {
        return machine.root.in(port, 4);
    }

    @Test
    @Rule("PC-12")
    @Rule("PC-14")
    void anIoBarIsSizedAndGivenPortsOfItsSize() {
        PcieFunction card = plug("sw0.0");
        IoPorts ports = card.ports(1);
        assertThat(ports.count()).isEqualTo(64);
        assertThat(ports.first() % 64).isZero();
        assertThat(card.readConfig(BAR1, 4)).isEqualTo(ports.first() | 1);
        card.writeConfig(BAR1, 4, ONES);
        assertThat(card.readConfig(BAR1, 4)).isEqualTo(0xFFFF_FFC1L);
        assertThatThrownBy(() -> card.bar(1)).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> card.ports(0))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("BAR 0");
    }

    @Test
    @Rule("PC-42")
    @Rule("PC-46")
    void theCpuReachesPortsThroughTheWindowsOfTheBridges() {
        PcieFunction card = plug("sw0.1");
        long first = card.ports(1).first();
        machine.root.out(first + 8, 4, 0x1234_5678);
        assertThat(in(first + 8)).isEqualTo(0x1234_5678);
        assertThat(type.last().calls).containsExactly("write 1 0x8/4 0x12345678", "read 1 0x8/4");
        assertThat(card.read(1, 8, 4)).isEqualTo(0x1234_5678);
        for (String bridge : List.of("rp0", "sw0", "sw0.1")) {
            PcieFunction port = machine.function(bridge);
            assertThat(port.readConfig(COMMAND, 2) & 1).as("IOSE of " + bridge).isEqualTo(1);
            port.writeConfig(COMMAND, 2, 6);
            assertThat(in(first + 8)).as("past " + bridge).isEqualTo(ONES);
            machine.root.out(first + 8, 4, 1);
            assertThat(card.read(1, 8, 4)).isEqualTo(ONES);
            port.writeConfig(COMMAND, 2, 7);
            assertThat(in(first + 8)).isEqualTo(0x1234_5678);
        }
        machine.function("sw0.1").writeConfig(0x1C, 2, 0x00F0);
        assertThat(in(first + 8)).as("closed window").isEqualTo(ONES);
    }

    @Test
    @Rule("PC-17")
    @Rule("PC-25")
    void portsAnswerOnlyInD0WithIoEnabledAndOverAnAddress() {
        PcieFunction card = plug("rp1");
        long first = card.ports(1).first();
        assertThat(in(first)).isZero();
        card.enablePorts(false);
        assertThat(in(first)).isEqualTo(ONES);
        assertThat(card.readConfig(COMMAND, 2)).as("and nothing else is off").isEqualTo(6);
        card.enablePorts(true);
        card.enable(false, true);
        assertThat(in(first)).as("memory decode does not matter").isZero();
        int power = Capabilities.legacy((BusFunction) card, 1) + PMCSR;
        card.writeConfig(power, 2, 3);
        assertThat(in(first)).as("D3hot").isEqualTo(ONES);
        card.writeConfig(power, 2, 0);
        assertThat(in(first)).isZero();
        card.writeConfig(BAR1, 4, 0);
        assertThat(in(0)).isEqualTo(ONES);
        assertThat(in(first)).isEqualTo(ONES);
    }

    @Test
    @Rule("PC-66")
    void accessesThatAreNoneOfTheCpusAreNotAnswered() {
        long first = plug("rp1").ports(1).first();
        assertThat(machine.root.in(first + 1, 2)).as("not aligned").isEqualTo(0xFFFF);
        assertThat(machine.root.in(first, 8)).as("too wide").isEqualTo(-1);
        assertThat(machine.function("at rp1").read(1, 0, 8)).isEqualTo(-1);
        assertThat(machine.root.in(first + 64, 1)).as("behind the BAR").isEqualTo(0xFF);
        assertThat(machine.root.in(-4, 4)).isEqualTo(ONES);
        assertThat(machine.root.load(first, 4)).as("is no memory").isEqualTo(ONES);
        assertThat(type.last().calls).isEmpty();
    }

    @Test
    @Rule("PC-42")
    void windowsAreWholePagesThatDoNotOverlapAndCloseWhenTheyAreEmpty() {
        long first = plug("sw0.0").ports(1).first();
        long second = plug("sw0.1").ports(1).first();
        long third = plug("rp1").ports(1).first();
        assertThat(List.of(first >> 12, second >> 12, third >> 12)).doesNotHaveDuplicates();
        machine.root.pull("at sw0.0");
        machine.root.pull("at sw0.1");
        PcieFunction rp0 = machine.function("rp0");
        assertThat(rp0.readConfig(0x1C, 2) & 0xF0F0).isEqualTo(0x00F0);
        assertThat(rp0.readConfig(COMMAND, 2) & 1).isZero();
        assertThat(in(third)).isZero();
        machine.root.plug("at sw0.1");
        PcieFunction back = machine.function("at sw0.1");
        back.enablePorts(true);
        assertThat(in(back.ports(1).first())).isZero();
    }

    @Test
    @Rule("PC-10")
    void bridgesOf16BitsHaveNoUpperHalvesAndThoseOfNoneNoWindow() {
        PcieFunction narrow = machine.function("rp1");
        narrow.writeConfig(0x30, 4, ONES);
        assertThat(narrow.readConfig(0x30, 4)).isZero();
        assertThat(narrow.readConfig(0x1C, 2) & 0x0F0F).isZero();
        assertThat(machine.function("rp0").readConfig(0x1C, 2) & 0x0F0F).isEqualTo(0x0101);
        PcieFunction none = machine.function("rp2");
        none.writeConfig(0x1C, 2, 0xFFFF);
        assertThat(none.readConfig(0x1C, 2)).isZero();
        PcieFunction card = plug("rp2");
        assertThatThrownBy(() -> card.ports(1)).isInstanceOf(ErrnoException.class);
        assertThat(card.readConfig(BAR1, 4)).isEqualTo(1);
    }

    @Test
    void portsAbove64KiBGoOnlyBelowBridgesOf32Bits() {
        HostBridgeConfig one = HostBridgeConfig.DEFAULT;
        HostBridgeConfig high =
                new HostBridgeConfig(
                        one.name(),
                        0,
                        0,
                        0xFF,
                        one.lowFirst(),
                        one.lowLast(),
                        one.highFirst(),
                        one.highLast(),
                        0x12_0000,
                        0x12_FFFF,
                        one.ecamBase(),
                        0,
                        true,
                        true,
                        false);
        List<PortConfig> ports =
                List.of(
                        new PortConfig("rp0", "00:01.0", 0, true, true),
                        new PortConfig("rp1", "00:02.0", 0, true, true, 0, 16));
        try (TestMachine other = new TestMachine(List.of(high), ports, false)) {
            other.root.addType(new TestDevice.Type(CARD), "io", TypeVersion.of(1, 0, 0));
            other.root.addSlot(SlotConfig.below("rp0", "wide", "io", Map.of()));
            other.root.addSlot(SlotConfig.below("rp1", "narrow", "io", Map.of()));
            other.settle();
            PcieFunction wide = other.function("wide");
            wide.enablePorts(true);
            assertThat(other.root.in(wide.ports(1).first(), 2)).isZero();
            assertThat(wide.ports(1).first()).isGreaterThanOrEqualTo(0x12_0000);
            assertThatThrownBy(() -> other.function("narrow").ports(1))
                    .isInstanceOf(ErrnoException.class);
        }
    }

    @Test
    void isaEnableKeepsAllBut256OfEach1024PortsAbove() {
        long first = plug("sw0.0").ports(1).first();
        PcieFunction card = plug("rp1");
        card.writeConfig(BAR1, 4, card.ports(1).first() + 0x140);
        long moved = card.ports(1).first() + 0x140;
        assertThat(in(moved)).isZero();
        PcieFunction rp1 = machine.function("rp1");
        rp1.writeConfig(0x3E, 2, 1 << 2);
        assertThat(in(moved)).isEqualTo(ONES);
        rp1.writeConfig(0x3E, 2, 0);
        assertThat(in(moved)).isZero();
        assertThat(in(first)).isZero();
    }

    @Test
    @Rule("PC-46")
    void aPortThatNobodyBelowClaimsIsAnUnsupportedRequestAtTheBridge() {
        PcieFunction card = plug("rp1");
        PcieFunction rp1 = machine.function("rp1");
        int device = Capabilities.legacy((BusFunction) rp1, 0x10) + 0x0A;
        assertThat(rp1.readConfig(device, 2) & 8).isZero();
        assertThat(in(card.ports(1).first() + 0x800)).isEqualTo(ONES);
        assertThat(rp1.readConfig(device, 2) & 8).isEqualTo(8);
    }
}
