package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Rule;

@DisplayName("A tree of ports")
class TreeTest {
    private static final List<PortConfig> PORTS =
            List.of(
                    new PortConfig("rp0", "00:01.0", 0, false, true),
                    new PortConfig("rp1", "00:02.0", 0, true, true),
                    new PortConfig("sw0", "rp0", 3, false, true),
                    new PortConfig("sw1", "sw0.2", 2, false, true));

    private final TestMachine machine =
            new TestMachine(List.of(HostBridgeConfig.DEFAULT), PORTS, false);

    @AfterEach
    void close() {
        machine.close();
    }

    private TestDevice device(int index) {
        return machine.type.made.get(index);
    }

    private long config(PcieFunction function, int offset, int bytes) {
        return function.readConfig(offset, bytes);
    }

    private PcieFunction port(String name) {
        return machine.root.functions().stream()
                .filter(f -> f.slot().equals(name))
                .filter(f -> f.readConfig(0x0E, 1) != 0)
                .findFirst()
                .orElseThrow();
    }

    @Test
    @Rule("PC-39")
    @Rule("PC-40")
    void busesAreNumberedDepthFirst() {
        assertThat(machine.root.functions())
                .extracting(f -> f.slot() + " " + f.address())
                .containsExactly(
                        "rp0 0000:00:01.0",
                        "rp1 0000:00:02.0",
                        "sw0 0000:01:00.0",
                        "sw0.0 0000:02:00.0",
                        "sw0.1 0000:02:01.0",
                        "sw0.2 0000:02:02.0",
                        "sw1 0000:05:00.0",
                        "sw1.0 0000:06:00.0",
                        "sw1.1 0000:06:01.0");
        assertThat(config(port("rp0"), 0x18, 4) & 0xFFFFFF).isEqualTo(0x08_01_00);
        assertThat(config(port("sw0"), 0x18, 4) & 0xFFFFFF).isEqualTo(0x08_02_01);
        assertThat(config(port("sw1"), 0x18, 4) & 0xFFFFFF).isEqualTo(0x08_06_05);
        assertThat(config(port("rp1"), 0x18, 4) & 0xFFFFFF).isEqualTo(0x09_09_00);
    }

    @Test
    @Rule("PC-41")
    @Rule("PC-42")
    void aDeviceBelowASwitchIsReachedThroughTheWindowsAbove() {
        PcieFunction function = machine.plugBelow("sw1.1", "deep");
        assertThat(function.address()).hasToString("0000:08:00.0");
        function.write(0, 0x10, 8, 0x1234);
        assertThat(function.read(0, 0x10, 8)).isEqualTo(0x1234);
        machine.vram.set(ValueLayout.JAVA_BYTE, 5, (byte) 0x5A);
        assertThat(function.read(2, 5, 1)).isEqualTo(0x5A);
        long base = function.bar(2).first().value();
        for (String name : List.of("rp0", "sw0", "sw0.2", "sw1", "sw1.1")) {
            PcieFunction port = port(name);
            long first = config(port, 0x28, 4) << 32 | (config(port, 0x24, 2) & 0xFFF0) << 16;
            long last =
                    config(port, 0x2C, 4) << 32 | (config(port, 0x26, 2) & 0xFFF0) << 16 | 0xF_FFFF;
            assertThat(base).as(name).isBetween(first, last - 0xFFFF);
        }
    }

    @Test
    @Rule("PC-43")
    void aPortWithoutMemoryDecodePassesNothingDownAndOneWithoutBusMasterNothingUp() {
        PcieFunction function = machine.plugBelow("sw1.0", "deep");
        MemorySegment data = TestMachine.filled(64, 7);
        PcieFunction port = port("sw0");
        port.enable(false, true);
        assertThat(function.read(0, 0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(TestMachine.status(machine.read(device(0), TestMemory.BASE, data)))
                .isEqualTo(DmaResult.OK);
        port.enable(true, false);
        assertThat(function.read(0, 0, 4)).isZero();
        assertThat(TestMachine.status(machine.read(device(0), TestMemory.BASE, data)))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(function.readConfig(0, 2)).isEqualTo(TestMachine.VENDOR);
    }

    @Test
    @Rule("PC-47")
    @Rule("PC-48")
    void aPeerBelowTheSameSwitchIsReachedDirectlyAndTheRootComplexDoesNotSeeIt() {
        PcieFunction target = machine.plugBelow("sw0.0", "target");
        machine.plugBelow("sw0.1", "near");
        machine.plugBelow("sw1.0", "far");
        long bar = target.bar(2).first().value();
        port("rp0").enable(true, false); // what goes above it is lost
        machine.vram.set(ValueLayout.JAVA_BYTE, 0, (byte) 0x66);
        for (int i = 1; i <= 2; i++) {
            MemorySegment data = TestMachine.filled(64, 0);
            assertThat(machine.read(device(i), bar, data)).isEqualTo(64);
            assertThat(data.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x66);
        }
        // inside the switch's window, nobody's below it
        long hole = target.bar(2).last().value() + 1;
        MemorySegment data = TestMachine.filled(64, 0);
        assertThat(TestMachine.status(machine.read(device(1), hole, data)))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
    }

    @Test
    @Rule("PC-63")
    @Rule("PC-64")
    void aSecondaryBusResetEndsTheLifeOfAllBelow() {
        PcieFunction below = machine.plugBelow("sw1.0", "below");
        PcieFunction beside = machine.plugBelow("sw0.0", "beside");
        PcieFunction port = port("sw0.2");
        long control = config(port, 0x3E, 2);
        port.writeConfig(0x3E, 2, control | 0x40);
        assertThat(below.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(below.read(0, 0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(
                        TestMachine.status(
                                machine.read(device(0), TestMemory.BASE, TestMachine.filled(8, 0))))
                .isEqualTo(DmaResult.GONE);
        assertThat(device(0).calls).doesNotContain("reset HOT");
        port.writeConfig(0x3E, 2, control);
        assertThat(device(0).calls).contains("reset HOT");
        // the ports below have forgotten their buses
        assertThat(below.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(beside.readConfig(0, 2)).isEqualTo(TestMachine.VENDOR);
        assertThat(device(1).calls).doesNotContain("reset HOT");
    }

    @Test
    @Rule("PC-45")
    void functionsWhoseBusThePortsDoNotLeadToAreNotThere() {
        PcieFunction function = machine.plugBelow("sw0.0", "x");
        PcieFunction root = port("rp0");
        root.writeConfig(0x1A, 1, 1); // subordinate: only the switch itself is left
        assertThat(function.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(port("sw0").readConfig(0, 2)).isEqualTo(0x1B36);
        root.writeConfig(0x1A, 1, 8);
        assertThat(function.readConfig(0, 2)).isEqualTo(TestMachine.VENDOR);
    }

    @Test
    @Rule("PC-68")
    void aDeviceThatIsPulledOutTakesItsLinkDown() {
        PcieFunction function = machine.plugBelow("rp1", "card");
        PcieFunction port = port("rp1");
        int express = 0x60;
        assertThat(config(port, express + 0x12, 2) & 1 << 13).isNotZero();
        assertThat(config(port, express + 0x1A, 2) & 0x148).isEqualTo(0x40);
        machine.root.removeType(machine.type);
        assertThat(function.isPresent()).isFalse();
        assertThat(config(port, express + 0x12, 2) & 1 << 13).isZero();
        assertThat(config(port, express + 0x1A, 2) & 0x148).isEqualTo(0x108);
        // the port has logged it, and so has the root port that it is
        assertThat(config(port, 0x104, 4) & 1 << 5).isEqualTo(1 << 5);
    }

    @Test
    @Rule("PC-5")
    void aFunctionThatIsNotReadyIsSeenIfTheRootPortShowsIt() {
        PcieFunction function = machine.plugBelow("sw1.1", "slow");
        List<Long> seen = new ArrayList<>();
        device(0).onReset =
                () -> {
                    seen.add(function.readConfig(0, 4));
                    seen.add(function.readConfig(0, 2));
                    seen.add(function.readConfig(8, 1));
                };
        int control = Capabilities.legacy((BusFunction) function, 0x10) + 8;
        PcieFunction root = port("rp0");
        int rootControl = Capabilities.legacy((BusFunction) root, 0x10) + 0x1C;
        root.writeConfig(rootControl, 2, 1 << 4);
        function.writeConfig(control, 2, Offsets.DEVCTL_FLR);
        assertThat(seen).containsExactly(0xFFFF_0001L, 0x0001L, 0x10L);
        root.writeConfig(rootControl, 2, 0);
        seen.clear();
        function.writeConfig(control, 2, Offsets.DEVCTL_FLR);
        assertThat(seen).containsExactly(0xFFFF_FFFFL, 0xFFFFL, 0x10L);
        assertThat(function.readConfig(0, 2)).as("ready").isEqualTo(TestMachine.VENDOR);
    }
}
