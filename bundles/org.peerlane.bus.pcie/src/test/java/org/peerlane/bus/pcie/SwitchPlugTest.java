package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.bus.pcie.TestMachine.SECOND;
import static org.peerlane.bus.pcie.TestMachine.filled;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("A switch as a card")
class SwitchPlugTest {
    private static final List<PortConfig> PORTS =
            List.of(
                    new PortConfig("rp0", "00:01.0", 0, true, true),
                    new PortConfig("rp1", "00:02.0", 0, true, true),
                    new PortConfig("sw0", "rp0", 2, true, true),
                    new PortConfig("sw1", "sw0.0", 2, true, true));

    private final TestMachine machine =
            new TestMachine(List.of(HostBridgeConfig.DEFAULT), PORTS, false);
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final PcieFunction near = machine.plugBelow("sw0.1", "near");
    private final PcieFunction far = machine.plugBelow("sw1.1", "far");
    private final PcieFunction other = machine.plugBelow("rp1", "other");

    SwitchPlugTest() {
        machine.root.addDriver(
                new PcieDriver() {
                    @Override
                    public boolean matches(PcieFunction function) {
                        return function.vendorId() == TestMachine.VENDOR;
                    }

                    @Override
                    public void probe(PcieFunction function) {
                        function.enable(true, true);
                        told.add("probe " + function.slot());
                    }

                    @Override
                    public void remove(PcieFunction function, boolean gone) {
                        told.add("remove %s gone=%s".formatted(function.slot(), gone));
                    }
                },
                "driver");
        machine.settle();
        told.clear();
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private List<String> tree() {
        return machine.root.functions().stream().map(f -> f.address() + " " + f.slot()).toList();
    }

    private List<String> present() {
        return machine.root.functions().stream().map(PcieFunction::slot).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sw0", "rp0"})
    @Rule("PC-68")
    void aPulledSwitchTakesEverythingBelowWithIt(String name) {
        long window = near.bar(0).first().value();
        PcieFunction port = machine.function("sw1.1");
        machine.root.pull(name);
        assertThat(present()).containsExactly("rp0", "rp1", "other");
        assertThat(told).containsExactlyInAnyOrder("remove near gone=true", "remove far gone=true");
        assertThat(List.of(near.isPresent(), far.isPresent(), port.isPresent()))
                .containsOnly(false);
        assertThat(port.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(machine.root.load(window, 4)).isEqualTo(0xFFFF_FFFFL);
        PcieFunction rp0 = machine.function("rp0");
        assertThat(rp0.readConfig(0x7A, 2) & 1 << 6).as("presence").isZero();
        assertThat(other.readConfig(0, 2)).isEqualTo(TestMachine.VENDOR);
    }

    @Test
    @Rule("PC-40")
    @Rule("PC-70")
    void whatIsPluggedInAgainIsNumberedAndBoundAsBefore() {
        List<String> before = tree();
        machine.root.pull("sw0");
        machine.root.plug("sw0");
        assertThat(tree()).isEqualTo(before);
        assertThat(told).endsWith("probe near", "probe far");
        PcieFunction back = machine.function("far");
        long register = back.bar(0).first().value() + 8;
        machine.root.store(register, 8, 0x55);
        assertThat(machine.root.load(register, 8)).isEqualTo(0x55);
        TestDevice device = machine.type.last();
        MemorySegment data = filled(64, 9);
        assertThat(TestMachine.status(machine.write(device, TestMemory.BASE, data))).isZero();
        assertThat(machine.memory.ram.get(ValueLayout.JAVA_BYTE, 63)).isEqualTo((byte) 9);
    }

    @Test
    @Rule("PC-70")
    void anEjectionUnbindsEveryDriverBelowBeforePowerGoes() {
        machine.root.eject("sw0");
        assertThat(told)
                .containsExactlyInAnyOrder("remove near gone=false", "remove far gone=false");
        assertThat(present()).containsExactly("rp0", "rp1", "other");
        PcieFunction rp0 = machine.function("rp0");
        assertThat(rp0.readConfig(0x78, 2) & 0x700).as("off").isEqualTo(0x700);
        machine.root.plug("rp0");
        assertThat(present())
                .containsExactlyInAnyOrder(
                        "rp0", "sw0", "sw0.0", "sw1", "sw1.0", "sw1.1", "far", "sw0.1", "near",
                        "rp1", "other");
    }

    @Test
    @Rule("PC-70")
    void whoeverSwitchesTheSlotOffLetsTheSwitchOut() {
        PcieFunction rp0 = machine.function("rp0");
        rp0.writeConfig(0x78, 2, rp0.readConfig(0x78, 2) & ~0x300 | 1 << 10 | 3 << 8);
        machine.settle();
        assertThat(present()).containsExactly("rp0", "rp1", "other");
    }

    @Test
    @Rule("PC-40")
    void anInnerSwitchFindsItsBusNumbersKeptWhenTheOuterCameWithoutIt() {
        List<String> before = tree();
        machine.root.pull("sw1");
        assertThat(present()).doesNotContain("sw1", "sw1.1", "far").contains("sw0", "near");
        machine.root.pull("sw0");
        assertThatThrownBy(() -> machine.root.plug("sw1")).hasMessageContaining("sw0.0");
        machine.root.plug("sw0");
        assertThat(present()).contains("near").doesNotContain("sw1", "far");
        machine.root.plug("sw1");
        assertThat(tree()).isEqualTo(before);
    }

    @Test
    void aDeviceThatWasTakenOutOfTheSwitchStaysOut() {
        machine.root.pull("far");
        machine.root.pull("sw0");
        assertThatThrownBy(() -> machine.root.plug("far")).hasMessageContaining("sw1.1");
        assertThatThrownBy(() -> machine.root.pull("sw0")).hasMessageContaining("empty");
        machine.root.plug("sw0");
        assertThat(present()).contains("near").doesNotContain("far");
        machine.root.plug("far");
        assertThat(present()).contains("far");
        assertThatThrownBy(() -> machine.root.plug("sw0")).hasMessageContaining("sw0");
    }

    /** A pull amid DMA: every transfer ends, nothing arrives after, and all is there again. */
    @Rule("PC-68")
    @Explore(schedules = 300)
    void aPullAmidTransfersBelowEndsThemAll(Execution execution) throws InterruptedException {
        TestMemory memory = new TestMemory();
        TestDevice.Type type = new TestDevice.Type(TestMachine.layout(filled(0x1_0000, 0)));
        Tracer tracer = new Tracer(execution::nanoTime, execution.lock("trace"));
        try (PcieRoot root =
                new PcieRoot(
                        execution,
                        tracer,
                        memory,
                        List.of(HostBridgeConfig.DEFAULT),
                        PORTS,
                        false,
                        false)) {
            root.addType(type, "test", TypeVersion.of(1, 0, 0));
            root.addSlot(SlotConfig.below("sw0.1", "near", "test", Map.of()));
            root.addSlot(SlotConfig.below("sw1.1", "far", "test", Map.of()));
            assertThat(root.settle(SECOND)).isTrue();
            PcieFunction peer = find(root, "near");
            peer.enable(true, true);
            find(root, "far").enable(true, true);
            TestDevice sender = type.last();
            long bar = peer.bar(2).first().value();
            MemorySegment data = filled(4096, 5);
            List<Integer> ends = Collections.synchronizedList(new ArrayList<>());
            EmulatedThread engine =
                    execution.start(
                            ThreadKind.BLOCKING,
                            "engine",
                            () -> {
                                for (int i = 0; i < 6; i++) {
                                    long to = i % 2 == 0 ? TestMemory.BASE : bar;
                                    long result = sender.slot.dma().write(to, 0, data, 0, 4096);
                                    ends.add(DmaResult.status(result));
                                }
                            });
            execution.sleep(1);
            root.pull("sw0");
            memory.ram.fill((byte) 0);
            engine.join();
            assertThat(root.settle(SECOND)).isTrue();
            assertThat(ends).hasSize(6);
            assertThat(memory.ram.get(ValueLayout.JAVA_BYTE, 0)).as("late write").isZero();
            assertThat(sender.calls).containsExactly("close");
            root.plug("sw0");
            assertThat(find(root, "far").readConfig(0, 2)).isEqualTo(TestMachine.VENDOR);
        }
    }

    private static PcieFunction find(PcieRoot root, String slot) {
        return root.functions().stream()
                .filter(f -> f.slot().equals(slot))
                .findFirst()
                .orElseThrow();
    }
}
