package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Await;

@DisplayName("Coming and going")
class LifeCycleTest {
    private static final TypeVersion V1 = TypeVersion.of(1, 0, 0);
    private static final TypeVersion V2 = TypeVersion.of(1, 2, 0);
    private static final TypeVersion V3 = TypeVersion.of(1, 10, 0);

    private final TestMachine machine = new TestMachine();
    private final PcieRoot root = machine.root;
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void stop() {
        machine.close();
    }

    private TestDevice.Type type() {
        return new TestDevice.Type(TestMachine.layout(Arena.ofAuto().allocate(0x1_0000, 4096)));
    }

    private class Driver implements PcieDriver {
        private final String name;
        @Nullable RuntimeException refusal;
        boolean matches = true;

        Driver(String name) {
            this.name = name;
        }

        @Override
        public boolean matches(PcieFunction function) {
            return matches;
        }

        @Override
        public void probe(PcieFunction function) {
            log.add(name + " probe " + function.slot());
            function.enable(true, true);
            if (refusal != null) {
                throw refusal;
            }
        }

        @Override
        public void remove(PcieFunction function, boolean gone) {
            boolean master = (function.readConfig(Offsets.COMMAND, 2) & Offsets.COMMAND_BME) != 0;
            log.add(
                    "%s remove %s gone=%s%s"
                            .formatted(
                                    name,
                                    function.slot(),
                                    gone,
                                    !gone && !master ? " with bus master off" : ""));
        }
    }

    @Test
    void aSlotIsFilledWhicheverComesFirst() {
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        machine.settle();
        assertThat(root.functions()).as("type is not known").isEmpty();
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("b", "00:02.0"));
        machine.settle();
        assertThat(root.functions()).extracting(PcieFunction::slot).containsExactly("a", "b");
        assertThat(machine.device().slot.options()).isEqualTo(Map.of("size", 7));
        assertThat(machine.device().slot.name()).isEqualTo("a");
        assertThat(machine.events(BusEvents.FunctionAdded.class)).hasSize(2);
    }

    @Test
    void aSlotOfAnUnknownTypeStaysEmpty() {
        root.addType(machine.type, "test", V1);
        root.addSlot(new SlotConfig("x", "other", "00:03.0", Map.of()));
        machine.settle();
        assertThat(root.functions()).isEmpty();
        assertThat(machine.type.made).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "00:00.0", "01:04.0", "0001:00:04.0", "00:05.0"})
    void aSlotThatCannotBeIsLeftOutAndTheOthersStay(String address) {
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("good", "00:05.0"));
        SlotConfig bad = TestMachine.slot("bad", address);
        root.addSlot(bad);
        machine.settle();
        assertThat(root.functions()).extracting(PcieFunction::slot).containsExactly("good");
        root.removeSlot(bad);
        assertThat(root.functions()).hasSize(1);
    }

    @Test
    void aDeviceThatRefusesItsOptionsLeavesTheSlotEmptyUntilAnotherTypeComes() {
        machine.type.refusal = new ErrnoException(Errno.EINVAL, "size 7; expected 8");
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        machine.settle();
        assertThat(root.functions()).isEmpty();
        TestDevice.Type better = type();
        root.addType(better, "test", V2);
        machine.settle();
        assertThat(root.functions()).hasSize(1);
        assertThat(better.made).hasSize(1);
    }

    @Test
    void aNewerVersionStandsByUntilTheOldOneLeavesAndThenTheHighestIsTaken() {
        TestDevice.Type second = type();
        TestDevice.Type third = type();
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        root.addType(third, "test", V3);
        root.addType(second, "test", V2);
        machine.settle();
        assertThat(third.made).isEmpty();
        PcieFunction old = machine.function("a");
        root.removeType(machine.type);
        machine.settle();
        assertThat(machine.device().calls).containsExactly("close");
        assertThat(old.isPresent()).isFalse();
        assertThat(machine.function("a").isPresent()).isTrue();
        assertThat(third.made).hasSize(1);
        assertThat(second.made).isEmpty();
    }

    @Test
    void twoVersionsServeTwoSlotsSideBySide() {
        TestDevice.Type second = type();
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        machine.settle();
        root.addType(second, "test", V2);
        root.addSlot(TestMachine.slot("b", "00:02.0"));
        machine.settle();
        assertThat(machine.type.made).hasSize(1);
        assertThat(second.made).hasSize(1);
        root.removeType(second);
        machine.settle();
        assertThat(machine.type.made).as("b goes on with what is left").hasSize(2);
        assertThat(machine.device().calls).as("a never noticed").isEmpty();
    }

    @Test
    void aDriverIsGivenWhatMatchesBeforeAndAfterIt() {
        Driver stranger = new Driver("stranger");
        stranger.matches = false;
        root.addDriver(stranger, "stranger");
        machine.plug("a", "00:01.0");
        root.addDriver(new Driver("d"), "d");
        machine.settle();
        machine.plug("b", "00:02.0");
        assertThat(log).containsExactly("d probe a", "d probe b");
    }

    @Test
    void aFunctionHasOneDriverTheFirstThatTakesIt() {
        Driver bad = new Driver("bad");
        bad.refusal = new ErrnoException(Errno.ENODEV, "not mine");
        root.addDriver(bad, "bad");
        root.addDriver(new Driver("d1"), "d1");
        root.addDriver(new Driver("d2"), "d2");
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        machine.settle();
        assertThat(log).containsExactly("bad probe a", "d1 probe a");
    }

    @Test
    void aProbeThatThrowsLeavesTheFunctionWithoutDriverAndQuiet() {
        Driver bad = new Driver("bad");
        bad.refusal = new IllegalStateException("bug");
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        root.addDriver(bad, "bad");
        machine.settle();
        PcieFunction function = machine.function("a");
        assertThat(function.readConfig(Offsets.COMMAND, 2)).isZero();
        root.removeDriver(bad);
        root.addDriver(new Driver("d"), "d");
        machine.settle();
        assertThat(log).containsExactly("bad probe a", "d probe a");
    }

    @Test
    void aDriverThatLeavesMayStillFinishItsTransfersAndTheNextTakesOver() throws Exception {
        Driver first = new Driver("d1");
        root.addDriver(first, "d1");
        root.addDriver(new Driver("d2"), "d2");
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        machine.settle();
        AutoCloseable left = machine.function("a").requestInterrupt(0, () -> {});
        root.removeDriver(first);
        assertThat(log).containsExactly("d1 probe a", "d1 remove a gone=false", "d2 probe a");
        machine.function("a").requestInterrupt(0, () -> {}).close();
        left.close();
    }

    @Test
    void aFunctionWithoutADriverHasBusMasterOff() {
        Driver only = new Driver("d");
        root.addDriver(only, "d");
        PcieFunction function = machine.plug();
        root.removeDriver(only);
        assertThat(function.readConfig(Offsets.COMMAND, 2) & Offsets.COMMAND_BME).isZero();
    }

    // PC-68 in part: the function leaves; ports and their slot registers come with bridges
    @Test
    void aTypeThatLeavesIsASurpriseRemovalForTheDriver() {
        root.addDriver(new Driver("d"), "d");
        PcieFunction function = machine.plug();
        root.removeType(machine.type);
        assertThat(log).containsExactly("d probe test0", "d remove test0 gone=true");
        assertThat(machine.device().calls).containsExactly("close");
        assertThat(root.functions()).isEmpty();
        assertThat(function.read(0, 0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(machine.events(BusEvents.FunctionRemoved.class)).hasSize(1);
    }

    @Test
    void aSlotThatLeavesIsAnOrderlyRemoval() {
        root.addDriver(new Driver("d"), "d");
        machine.plug();
        root.removeSlot(machine.slot);
        assertThat(log).containsExactly("d probe test0", "d remove test0 gone=false");
        assertThat(machine.device().calls).containsExactly("close");
    }

    @Test
    void settleWaitsForTheDriver() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch inside = new CountDownLatch(1);
        root.addDriver(
                new Driver("slow") {
                    @Override
                    public void probe(PcieFunction function) {
                        inside.countDown();
                        try {
                            go.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    }
                },
                "slow");
        root.addType(machine.type, "test", V1);
        root.addSlot(TestMachine.slot("a", "00:01.0"));
        inside.await();
        assertThat(root.settle(1_000_000)).isFalse();
        go.countDown();
        assertThat(root.settle(10 * TestMachine.SECOND)).isTrue();
    }

    @Test
    void aDriverMayBeRemovedFromTheLifeCycleThreadItself() {
        Driver inner = new Driver("inner");
        root.addDriver(
                new Driver("outer") {
                    @Override
                    public void probe(PcieFunction function) {
                        root.removeDriver(inner); // would wait for itself
                        log.add("outer probe");
                    }
                },
                "outer");
        machine.plug();
        assertThat(log).containsExactly("outer probe");
    }

    @Test
    void closeRemovesEverythingInOrderAndLeavesNoThread() {
        root.addDriver(new Driver("d"), "d");
        PcieFunction function = machine.plug();
        PcieFunction peer = machine.plug("b", "00:05.0");
        long base = peer.bar(0).first().value();
        function.enable(true, true);
        machine.write(machine.device(), base, TestMachine.filled(4, 1));
        root.close();
        assertThat(log).endsWith("d remove test0 gone=false", "d remove b gone=false");
        assertThat(machine.type.made).allMatch(device -> device.calls.getLast().equals("close"));
        Await.until("each thread to end", () -> machine.execution.alive().isEmpty());
        root.close();
    }
}
