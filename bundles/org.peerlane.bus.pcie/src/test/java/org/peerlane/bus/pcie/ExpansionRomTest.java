package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Expansion ROM")
class ExpansionRomTest {
    private static final int ROM = 0x30;
    private static final int BYTES = 1 << 14;
    private static final long ONES = 0xFFFF_FFFFL;

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(
                            new PortConfig("rp0", "00:01.0", 0, false, true),
                            new PortConfig("rp1", "00:02.0", 0, false, true)),
                    false);
    private final MemorySegment image = TestMachine.filled(BYTES, 0);
    private final TestDevice.Type type = new TestDevice.Type(layout(new RomLayout(BYTES, image)));
    private final PcieFunction card = plug("rp0", type);

    @AfterEach
    void close() {
        machine.close();
    }

    private static FunctionLayout layout(RomLayout rom) {
        return FunctionLayout.of(TestMachine.VENDOR, 1, 0x030000)
                .bar(BarLayout.registers(0, 4096, false, false))
                .rom(rom)
                .with(CapabilityLayout.Express.plain())
                .build();
    }

    private PcieFunction plug(String port, TestDevice.Type kind) {
        image.set(ValueLayout.JAVA_SHORT, 0, (short) 0xAA55);
        machine.root.addType(kind, port, TypeVersion.of(1, 0, 0));
        machine.root.addSlot(SlotConfig.below(port, "card at " + port, port, Map.of()));
        machine.settle();
        PcieFunction function = machine.function("card at " + port);
        function.enable(true, true);
        return function;
    }

    private long base() {
        return card.bar(RomLayout.INDEX).first().value();
    }

    private void enable() {
        card.writeConfig(ROM, 4, base() | 1);
    }

    @Test
    @Rule("PC-14")
    @Rule("PC-18")
    void itIsSizedAndPlacedAndLeftDisabled() {
        assertThat(card.bar(RomLayout.INDEX).bytes()).isEqualTo(BYTES);
        assertThat(card.readConfig(ROM, 4)).isEqualTo(base());
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xFFFF);
        card.writeConfig(ROM, 4, 0xFFFF_F800L);
        assertThat(card.readConfig(ROM, 4)).isEqualTo(0x1_0000_0000L - BYTES);
    }

    @Test
    @Rule("PC-18")
    void itDecodesWithItsOwnBitAndMemoryDecode() {
        enable();
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xAA55);
        assertThat(card.read(RomLayout.INDEX, 0, 2)).isEqualTo(0xAA55);
        assertThat(machine.root.load(base() + BYTES, 2)).as("behind it").isEqualTo(0xFFFF);
        card.enable(false, true);
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xFFFF);
        assertThat(card.read(RomLayout.INDEX, 0, 2)).isEqualTo(0xFFFF);
        card.enable(true, true);
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xAA55);
        card.writeConfig(ROM, 4, base());
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xFFFF);
        assertThat(type.last().calls).as("the model is not asked").isEmpty();
    }

    @Test
    @Rule("PC-18")
    void nobodyWritesToIt() {
        enable();
        machine.root.store(base(), 4, 1);
        card.write(RomLayout.INDEX, 0, 4, 1);
        PcieFunction peer = machine.plugBelow("rp1", "peer");
        assertThat(peer.isPresent()).isTrue();
        TestDevice sender = machine.type.last();
        machine.write(sender, base(), TestMachine.filled(64, 1));
        machine.settle();
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xAA55);
        MemorySegment got = TestMachine.filled(64, 0);
        assertThat(TestMachine.status(machine.read(sender, base(), got))).isEqualTo(DmaResult.OK);
        assertThat(got.get(ValueLayout.JAVA_SHORT, 0))
                .as("a peer reads it")
                .isEqualTo((short) 0xAA55);
    }

    @Test
    @Rule("PC-61")
    void aResetSwitchesItOff() {
        enable();
        int express = Capabilities.legacy((BusFunction) card, 0x10);
        card.writeConfig(express + 8, 2, 1 << 15);
        card.enable(true, true);
        assertThat(card.readConfig(ROM, 4)).isZero();
        assertThat(machine.root.load(base(), 2)).isEqualTo(0xFFFF);
    }

    @Test
    void aModelMayAnswerForARomWithoutContent() {
        TestDevice.Type asked = new TestDevice.Type(layout(new RomLayout(2048, null)));
        PcieFunction function = plug("rp1", asked);
        function.writeConfig(ROM, 4, function.bar(RomLayout.INDEX).first().value() | 1);
        assertThat(function.read(RomLayout.INDEX, 8, 4)).isZero();
        function.write(RomLayout.INDEX, 8, 4, 1);
        assertThat(asked.last().calls).containsExactly("read 6 0x8/4");
    }

    @Test
    void aFunctionWithoutOneSaysSo() {
        PcieFunction plain = machine.plugBelow("rp1", "plain");
        assertThatThrownBy(() -> plain.bar(RomLayout.INDEX)).isInstanceOf(ErrnoException.class);
        assertThat(plain.read(RomLayout.INDEX, 0, 4)).isEqualTo(ONES);
    }
}
