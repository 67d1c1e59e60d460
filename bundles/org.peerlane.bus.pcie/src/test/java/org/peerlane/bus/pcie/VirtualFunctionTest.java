package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.TestMachine.filled;
import static org.peerlane.bus.pcie.TestMachine.status;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.DmaTranslation;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("Virtual functions")
class VirtualFunctionTest {
    private static final int VF_DEVICE = 0x11E9;
    private static final int TOTAL = 6;
    private static final int NUM_VFS = 0x10;
    private static final int CONTROL = 0x08;
    private static final int ENABLE = 1;
    private static final int MEMORY = 1 << 3;
    private static final long ONES = 0xFFFF_FFFFL;

    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private TestMachine machine = new TestMachine();

    @AfterEach
    void close() {
        machine.close();
    }

    private static FunctionLayout physical(int offset, int stride, int total) {
        return FunctionLayout.of(TestMachine.VENDOR, 0x11E8, 0x00FF00)
                .bar(BarLayout.registers(0, 4096, false, false))
                .with(new CapabilityLayout.PowerManagement(false, false, true, 0))
                .with(CapabilityLayout.Express.plain())
                .with(new CapabilityLayout.Ari(0))
                .with(
                        new CapabilityLayout.SrIov(
                                total,
                                offset,
                                stride,
                                VF_DEVICE,
                                1,
                                List.of(
                                        BarLayout.registers(0, 8192, true, true),
                                        BarLayout.registers(3, 4096, false, false))))
                .build();
    }

    private static FunctionLayout virtual() {
        return FunctionLayout.of(TestMachine.VENDOR, VF_DEVICE, 0x00FF00)
                .bar(BarLayout.registers(0, 8192, true, true))
                .bar(BarLayout.registers(3, 4096, false, false))
                .with(new CapabilityLayout.MsiX(2, 3, 0, 3, 0x800))
                .with(CapabilityLayout.Express.plain())
                .build();
    }

    /** A physical function below the first of two root ports. */
    private PcieFunction plug(int offset, int stride, int busReserve) {
        machine.close();
        machine =
                new TestMachine(
                        List.of(HostBridgeConfig.DEFAULT),
                        List.of(
                                new PortConfig("rp0", "00:01.0", 0, false, true, busReserve),
                                new PortConfig("rp1", "00:02.0", 0, false, true)),
                        false);
        TestDevice.Type type = new TestDevice.Type(physical(offset, stride, TOTAL));
        made = type;
        machine.root.addType(type, "sriov", TypeVersion.of(1, 0, 0));
        machine.root.addSlot(SlotConfig.below("rp0", "pf", "sriov", Map.of()));
        machine.root.addDriver(
                new PcieDriver() {
                    @Override
                    public boolean matches(PcieFunction function) {
                        return function.deviceId() == VF_DEVICE;
                    }

                    @Override
                    public void probe(PcieFunction function) {
                        told.add("probe " + function.slot());
                        function.enable(true, true);
                    }

                    @Override
                    public void remove(PcieFunction function, boolean gone) {
                        told.add("remove " + function.slot() + (gone ? " gone" : ""));
                    }
                },
                "vf-driver");
        machine.settle();
        type.last().virtualLayout = virtual();
        PcieFunction pf = machine.function("pf");
        pf.enable(true, true);
        return pf;
    }

    private TestDevice.Type made = machine.type;

    private static int capability(PcieFunction pf) {
        return Capabilities.extended((BusFunction) pf, 0x10);
    }

    private void enable(PcieFunction pf, int count) {
        int at = capability(pf);
        pf.writeConfig(at + NUM_VFS, 2, count);
        pf.writeConfig(at + CONTROL, 2, pf.readConfig(at + CONTROL, 2) | ENABLE | MEMORY);
        machine.settle();
    }

    private void disable(PcieFunction pf) {
        int at = capability(pf);
        pf.writeConfig(at + CONTROL, 2, pf.readConfig(at + CONTROL, 2) & ~(ENABLE | MEMORY));
    }

    private TestDevice vf(int number) {
        return made.last().virtuals.get(number - 1);
    }

    private List<String> slots() {
        return machine.root.functions().stream().map(PcieFunction::slot).toList();
    }

    @Test
    @Rule("PC-34")
    @Rule("PC-35")
    void enabledTheyAreFunctionsOfTheirOwnAtOffsetAndStride() {
        PcieFunction pf = plug(4, 2, 0);
        assertThat(slots()).containsExactly("rp0", "rp1", "pf");
        enable(pf, 3);
        assertThat(machine.root.functions())
                .extracting(f -> f.slot() + " " + f.address())
                .contains("pf.vf1 0000:01:00.4", "pf.vf2 0000:01:00.6", "pf.vf3 0000:01:01.0")
                .hasSize(6);
        assertThat(told).containsExactly("probe pf.vf1", "probe pf.vf2", "probe pf.vf3");
        PcieFunction third = machine.function("pf.vf3");
        assertThat(machine.root.readConfig(0x0108, 0, 4)).as("ids").isEqualTo(ONES);
        assertThat(machine.root.readConfig(0x0108, 4, 2)).as("Command").isEqualTo(4);
        assertThat(third.readConfig(0x0E, 1)).as("header type").isZero();
        assertThat(third.readConfig(0x10, 4)).as("BAR 0").isZero();
        assertThat(third.deviceId()).isEqualTo(VF_DEVICE);
        assertThat(machine.root.readConfig(0x0105, 0, 4)).isEqualTo(ONES);
        assertThat(machine.root.readConfig(0x0105, 4, 4)).as("nobody").isEqualTo(ONES);
    }

    @Test
    @Rule("PC-35")
    void aBarOfEachIsOneOfTheConsecutiveCopies() {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, TOTAL);
        PcieFunction first = machine.function("pf.vf1");
        PcieFunction last = machine.function("pf.vf6");
        assertThat(last.bar(0).first().value() - first.bar(0).first().value()).isEqualTo(5 * 8192);
        assertThat(last.bar(3).first().value() - first.bar(3).first().value()).isEqualTo(5 * 4096);
        last.write(0, 0x18, 8, 0x77);
        assertThat(vf(6).calls).containsExactly("write 0 0x18/8 0x77");
        assertThat(last.read(0, 0x18, 8)).isEqualTo(0x77);
        assertThat(first.read(0, 0x18, 8)).isZero();
        MemorySegment data = filled(8, 0);
        long address = last.bar(0).first().value() + 0x18;
        assertThat(status(made.last().slot.dma().read(address, 0, data, 0, 8))).isZero();
        assertThat(data.get(ValueLayout.JAVA_LONG, 0)).as("by its address").isEqualTo(0x77);
        int at = capability(pf);
        pf.writeConfig(at + CONTROL, 2, ENABLE);
        assertThat(last.read(0, 0x18, 4)).as("VF memory space is off").isEqualTo(ONES);
        pf.writeConfig(at + CONTROL, 2, ENABLE | MEMORY);
        last.enable(false, false);
        pf.enable(false, true);
        assertThat(last.read(0, 0x18, 4)).as("Command.MSE is nobody's").isEqualTo(0x77);
        pf.writeConfig(Offsets.PMCSR, 2, Offsets.D3HOT);
        assertThat(last.read(0, 0x18, 4)).as("physical function asleep").isEqualTo(ONES);
    }

    @Test
    @Rule("PC-34")
    @Rule("PC-35")
    void eachHasItsOwnBusMasterAndRequesterId() {
        PcieFunction pf = plug(0x10, 1, 0);
        enable(pf, 2);
        pf.enable(true, false);
        List<Integer> requesters = new ArrayList<>();
        machine.root.translation(
                new DmaTranslation() {
                    @Override
                    public int translate(
                            int requester,
                            int attributes,
                            long address,
                            boolean write,
                            Target into) {
                        requesters.add(requester);
                        into.physical = address;
                        into.bytes = 4096;
                        return DmaResult.OK;
                    }
                });
        assertThat(status(machine.write(vf(2), TestMemory.BASE, filled(8, 3)))).isZero();
        assertThat(requesters).containsExactly(0x0111);
        machine.function("pf.vf2").enable(true, false);
        assertThat(status(machine.write(vf(2), TestMemory.BASE, filled(8, 3))))
                .isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(status(machine.write(vf(1), TestMemory.BASE, filled(8, 3)))).isZero();
    }

    @Test
    @Rule("PC-30")
    void eachInterruptsByItsOwnVectors() throws Exception {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 2);
        CountDownLatch came = new CountDownLatch(1);
        try (AutoCloseable _ = machine.function("pf.vf2").requestInterrupt(1, came::countDown)) {
            assertThat(vf(1).slot.interrupts().raise(1)).isNotEqualTo(DmaResult.OK);
            assertThat(vf(2).slot.interrupts().raise(1)).isEqualTo(DmaResult.OK);
            came.await();
        }
    }

    @Test
    @Rule("PC-34")
    @Rule("PC-40")
    void thosePastTheirBusAreReachedWhereThePortsKeepNumbersForThem() {
        PcieFunction pf = plug(0xFE, 1, 1);
        enable(pf, 4);
        assertThat(machine.function("pf.vf1").address()).hasToString("0000:01:1f.6");
        assertThat(machine.function("pf.vf3").address()).hasToString("0000:02:00.0");
        assertThat(machine.root.readConfig(0x0201, 4, 2)).isEqualTo(4);
        assertThat(told).hasSize(4);
        PcieFunction without = plug(0xFE, 1, 0);
        told.clear();
        enable(without, 4);
        assertThat(told).as("bus 2 is another port's").hasSize(2);
        assertThat(machine.function("pf.vf3").readConfig(4, 2)).isEqualTo(0xFFFF);
    }

    @Test
    @Rule("PC-40")
    void behindTheLastPortNumbersAreTakenWhenTheyAreNeeded() {
        machine.close();
        machine =
                new TestMachine(
                        List.of(HostBridgeConfig.DEFAULT),
                        List.of(new PortConfig("rp0", "00:01.0", 0, false, true)),
                        false);
        made = new TestDevice.Type(physical(0x100, 1, TOTAL));
        machine.root.addType(made, "sriov", TypeVersion.of(1, 0, 0));
        machine.root.addSlot(SlotConfig.below("rp0", "pf", "sriov", Map.of()));
        machine.settle();
        made.last().virtualLayout = virtual();
        enable(machine.function("pf"), 1);
        assertThat(machine.function("rp0").readConfig(0x1A, 1)).isEqualTo(2);
        assertThat(machine.root.readConfig(0x0200, 4, 4)).isEqualTo(0x0010_0000L);
    }

    @Test
    @Rule("ER-31")
    void moreThanThereCanBeAreRefusedAndThosePastTheLastBusAreNotMade() {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 0xFFFF);
        assertThat(made.last().virtuals).isEmpty();
        assertThat(slots()).hasSize(3);
        PcieFunction far = plug(0x8000, 0x7EFE, 0);
        enable(far, TOTAL);
        assertThat(made.last().virtuals).as("0x8100 and 0xfffe").hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"disable", "flr", "pull", "secondary bus reset", "power"})
    @Rule("PC-36")
    @Rule("PC-62")
    void theyGoWithVfEnableAndWithThePhysicalFunction(String how) {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 2);
        PcieFunction second = machine.function("pf.vf2");
        TestDevice model = vf(2);
        end(pf, how);
        assertThat(second.isPresent()).isFalse();
        assertThat(second.readConfig(4, 4)).isEqualTo(ONES);
        assertThat(status(machine.write(model, TestMemory.BASE, filled(8, 3))))
                .isEqualTo(DmaResult.GONE);
        assertThat(model.slot.interrupts().raise(0)).isEqualTo(DmaResult.GONE);
        machine.settle();
        assertThat(told)
                .containsExactly(
                        "probe pf.vf1", "probe pf.vf2", "remove pf.vf1 gone", "remove pf.vf2 gone");
        assertThat(model.calls).containsExactly("close");
        assertThat(slots()).doesNotContain("pf.vf1", "pf.vf2");
    }

    private void end(PcieFunction pf, String how) {
        switch (how) {
            case "disable" -> disable(pf);
            case "flr" -> {
                int control = Capabilities.legacy((BusFunction) pf, 0x10) + 8;
                pf.writeConfig(control, 2, Offsets.DEVCTL_FLR);
            }
            case "pull" -> machine.root.pull("pf");
            case "power" -> machine.root.removeType(made);
            default -> machine.function("rp0").writeConfig(0x3E, 2, 1 << 6);
        }
    }

    @Test
    @Rule("PC-36")
    @Rule("PC-62")
    void vfEnableIsClearOnlyWhenWhatWasUnderWayHasLanded() throws Exception {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 1);
        TestDevice model = vf(1);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Armed armed =
                machine.execution.arm(
                        "bus.dma.before-copy",
                        () -> {
                            inside.countDown();
                            await(go);
                        });
        AtomicLong result = new AtomicLong(-1);
        Thread engine =
                Thread.ofPlatform()
                        .start(() ->
                                result.set(machine.write(model, TestMemory.BASE, filled(8192, 5))));
        inside.await();
        AtomicInteger seen = new AtomicInteger(-1);
        Thread host =
                Thread.ofPlatform()
                        .start(() -> {
                            disable(pf);
                            seen.set(machine.memory.ram.get(ValueLayout.JAVA_BYTE, 0));
                        });
        Await.untilWaits(host);
        assertThat(seen).hasValue(-1);
        go.countDown();
        host.join();
        engine.join();
        armed.close();
        assertThat(seen).hasValue(5);
        assertThat(result).hasValue(DmaResult.of(DmaResult.GONE, 4096));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Rule("PC-61")
    void oneIsResetAlone() {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 2);
        PcieFunction first = machine.function("pf.vf1");
        int control = Capabilities.legacy((BusFunction) first, 0x10) + 8;
        first.writeConfig(control, 2, Offsets.DEVCTL_FLR);
        assertThat(vf(1).calls).containsExactly("reset FLR");
        assertThat(vf(2).calls).isEmpty();
        assertThat(made.last().calls).isEmpty();
        assertThat(first.readConfig(4, 2)).as("bus master").isZero();
        assertThat(first.isPresent()).isTrue();
        assertThat(first.read(0, 0, 4)).as("VF memory space is the other's").isZero();
    }

    @Test
    @Rule("PC-36")
    void switchedOnAgainTheyAreNewOnes() {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 2);
        PcieFunction old = machine.function("pf.vf1");
        disable(pf);
        enable(pf, 1);
        assertThat(old.isPresent()).isFalse();
        assertThat(machine.function("pf.vf1").isPresent()).isTrue();
        assertThat(slots()).doesNotContain("pf.vf2");
        assertThat(made.last().virtuals).hasSize(3);
        assertThat(told).endsWith("remove pf.vf2 gone", "probe pf.vf1");
    }

    @Test
    @Rule("PC-70")
    void ejectedInOrderTheirDriversGoFirstAndKnowThatTheyAreThere() {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 1);
        machine.root.eject("pf");
        assertThat(told).containsExactly("probe pf.vf1", "remove pf.vf1");
        assertThat(vf(1).calls).containsExactly("close");
    }

    @Rule("PC-35")
    @Test
    void theirBarsMoveWithThePhysicalOneWhileTheirDriversAreAway() {
        PcieFunction pf = plug(1, 1, 0);
        enable(pf, 2);
        machine.function("pf.vf2").write(3, 0x18, 8, 0x77);
        long before = machine.function("pf.vf2").bar(3).first().value();
        told.clear();
        FunctionLayout big =
                FunctionLayout.of(TestMachine.VENDOR, 0x11EA, 0x00FF00)
                        .bar(BarLayout.registers(0, 1 << 29, false, false)) // one place only
                        .with(CapabilityLayout.Express.plain())
                        .build();
        machine.root.addType(new TestDevice.Type(big), "big", TypeVersion.of(1, 0, 0));
        machine.root.addSlot(SlotConfig.below("rp1", "big", "big", Map.of()));
        machine.settle();
        assertThat(machine.function("big").bar(0).first().value()).isEqualTo(0xC000_0000L);
        assertThat(told)
                .containsExactly("remove pf.vf1", "remove pf.vf2", "probe pf.vf1", "probe pf.vf2");
        long now = machine.function("pf.vf2").bar(3).first().value();
        assertThat(now).isNotEqualTo(before);
        assertThat(machine.root.load(now + 0x18, 8)).isEqualTo(0x77);
        assertThat(pf.readConfig(0x04, 2) & 2).as("memory decode is back").isEqualTo(2);
    }
}
