package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Rule;

@DisplayName("Hot plug")
class HotPlugTest {
    private static final int EXPRESS = 0x60;
    private static final int SLTCTL = EXPRESS + 0x18;
    private static final int SLTSTA = EXPRESS + 0x1A;
    private static final int PRESENT = 1 << 6;
    private static final int BUTTON = 1;
    private static final int PRESENCE_CHANGED = 1 << 3;

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(new PortConfig("rp0", "00:01.0", 0, true, true)),
                    false);
    private final List<String> told = new ArrayList<>();
    private final PcieFunction card = machine.plugBelow("rp0", "card");
    private final PcieFunction port = machine.function("rp0");

    HotPlugTest() {
        machine.root.addDriver(
                new PcieDriver() {
                    @Override
                    public boolean matches(PcieFunction function) {
                        return function.vendorId() == TestMachine.VENDOR;
                    }

                    @Override
                    public void probe(PcieFunction function) {
                        told.add("probe");
                    }

                    @Override
                    public void remove(PcieFunction function, boolean gone) {
                        long control = port.readConfig(SLTCTL, 2);
                        told.add("remove gone=%s control=0x%x".formatted(gone, control & 0x700));
                    }
                },
                "driver");
        machine.settle();
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private long status() {
        return port.readConfig(SLTSTA, 2);
    }

    @Test
    @Rule("PC-70")
    void anEjectionUnbindsTheDriverWhileTheIndicatorBlinksAndThenSwitchesOff() {
        machine.root.eject("card");
        assertThat(told).containsExactly("probe", "remove gone=false control=0x200");
        assertThat(card.isPresent()).isFalse();
        assertThat(port.readConfig(SLTCTL, 2) & 0x700).isEqualTo(0x700); // off, indicator off
        assertThat(status() & (PRESENT | BUTTON | PRESENCE_CHANGED)).isZero(); // all acknowledged
        assertThat(card.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
        // nobody puts it back but a hand
        machine.root.addSlot(TestMachine.slot("other", "00:05.0"));
        machine.settle();
        assertThat(machine.root.functions()).extracting(PcieFunction::slot).doesNotContain("card");
        machine.root.plug("card");
        assertThat(machine.function("card").readConfig(0, 2)).isEqualTo(TestMachine.VENDOR);
        assertThat(status() & PRESENT).isEqualTo(PRESENT);
        assertThat(told.getLast()).isEqualTo("probe");
    }

    @Test
    @Rule("PC-68")
    void aPulledDeviceIsGoneBeforeItsDriverHears() {
        machine.root.pull("card");
        assertThat(told).containsExactly("probe", "remove gone=true control=0x100");
        assertThat(status() & PRESENT).isZero();
    }

    @Test
    @Rule("PC-70")
    void whoeverSwitchesTheSlotOffLetsTheDeviceOut() {
        long control = port.readConfig(SLTCTL, 2) & ~0x300;
        port.writeConfig(SLTCTL, 2, control | 1 << 10 | 3 << 8);
        machine.settle();
        assertThat(card.isPresent()).isFalse();
    }

    @Test
    @Rule("PC-70")
    void aBlinkingIndicatorRefusesTheButton() {
        port.writeConfig(SLTCTL, 2, port.readConfig(SLTCTL, 2) & ~0x300 | 2 << 8);
        assertThatThrownBy(() -> machine.root.eject("card")).hasMessageContaining("blinks");
        assertThat(card.isPresent()).isTrue();
    }

    @Test
    void allFunctionsOfADeviceLeaveTogether() {
        machine.plug(new SlotConfig("second", "test", "", "rp0", 1, Map.of("size", 7)));
        machine.root.pull("second");
        assertThat(machine.root.functions()).extracting(PcieFunction::slot).containsExactly("rp0");
        machine.root.plug("second");
        assertThat(machine.root.functions())
                .extracting(PcieFunction::slot)
                .containsExactly("rp0", "card", "second");
    }

    @Test
    void wrongSlotsAreNamed() {
        assertThatThrownBy(() -> machine.root.eject("cart"))
                .hasMessageContaining("'cart'")
                .hasMessageContaining("card");
        assertThatThrownBy(() -> machine.root.plug("card")).hasMessageContaining("has");
        machine.root.pull("card");
        assertThatThrownBy(() -> machine.root.pull("card")).hasMessageContaining("empty");
    }
}
