package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Rule;

@DisplayName("Loads and stores of the CPU")
class CpuAccessTest {
    private static final long ECAM = HostBridgeConfig.DEFAULT.ecamBase();

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(new PortConfig("rp0", "00:01.0", 0, false, true)),
                    false);
    private final PcieFunction card = machine.plugBelow("rp0", "card");

    @AfterEach
    void close() {
        machine.close();
    }

    private static long ecam(int bus, int device, int function, int register) {
        return ECAM + (bus << 20 | device << 15 | function << 12 | register);
    }

    @Test
    @Rule("PC-2")
    @Rule("PC-3")
    void configSpaceIsMemoryByBusDeviceAndFunction() {
        assertThat(machine.root.load(ecam(0, 1, 0, 0), 2)).isEqualTo(0x1B36);
        assertThat(machine.root.load(ecam(1, 0, 0, 0), 4)).isEqualTo(0x11E8_1234L);
        assertThat(machine.root.load(ecam(1, 0, 0, 0), 8) & 0xFFFF_FFFFL).isEqualTo(0x11E8_1234L);
        assertThat(machine.root.load(ecam(1, 0, 1, 0), 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(machine.root.load(ecam(2, 0, 0, 0), 4)).isEqualTo(0xFFFF_FFFFL);
        machine.root.store(ecam(1, 0, 0, 0x3C), 1, 0x5A);
        assertThat(card.readConfig(0x3C, 1)).isEqualTo(0x5A);
        assertThat(machine.root.load(ecam(1, 0, 0, 3), 2)).as("crosses a dword").isEqualTo(0xFFFF);
    }

    @Test
    @Rule("PC-66")
    void ramAndBarsAnswerAndNobodyElse() {
        machine.root.store(TestMemory.BASE + 8, 4, 0x1234_5678);
        assertThat(machine.memory.ram.get(ValueLayout.JAVA_INT, 8)).isEqualTo(0x1234_5678);
        long bar = card.bar(0).first().value();
        machine.root.store(bar + 0x20, 8, 0xABCD);
        assertThat(machine.root.load(bar + 0x20, 8)).isEqualTo(0xABCD);
        card.enable(false, true);
        assertThat(machine.root.load(bar + 0x20, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(machine.root.load(TestMemory.BASE + TestMemory.BYTES, 4))
                .isEqualTo(0xFFFF_FFFFL);
        machine.root.store(-8, 8, 1);
        assertThat(machine.root.load(-8, 8)).isEqualTo(-1);
        assertThat(machine.root.load(TestMemory.BASE + 1, 4))
                .as("not aligned")
                .isEqualTo(0xFFFF_FFFFL);
    }
}
