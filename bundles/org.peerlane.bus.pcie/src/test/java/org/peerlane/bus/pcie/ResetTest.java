package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.TestMachine.filled;
import static org.peerlane.bus.pcie.TestMachine.status;

import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("Resets, power states and removal")
class ResetTest {
    private static final long ONES = 0xFFFF_FFFFL;

    private final TestMachine machine = new TestMachine();
    private final PcieFunction function = machine.plug();
    private final TestDevice device = machine.device();

    @AfterEach
    void stop() {
        machine.close();
    }

    private void flr() {
        long control = function.readConfig(Offsets.DEVCTL, 2);
        function.writeConfig(Offsets.DEVCTL, 2, control | Offsets.DEVCTL_FLR);
    }

    private byte ram(long physical) {
        return machine.memory.ram.get(ValueLayout.JAVA_BYTE, physical - TestMemory.BASE);
    }

    @Rule("PC-61")
    @Test
    void functionLevelResetClearsCommandBarsAndMsiAndResetsTheDevice() throws Exception {
        AutoCloseable taken = function.requestInterrupt(0, () -> {});
        flr();
        assertThat(function.readConfig(Offsets.COMMAND, 2)).isZero();
        assertThat(function.readConfig(Offsets.BAR0, 4)).isZero();
        assertThat(function.readConfig(Offsets.BAR0 + 8, 4)).isEqualTo(0xC);
        assertThat(function.readConfig(Offsets.MSI_CONTROL, 2) & Offsets.MSI_ENABLE).isZero();
        assertThat(function.readConfig(Offsets.DEVCTL, 2)).as("reads 0").isEqualTo(0x2810);
        assertThat(function.readConfig(0, 4)).isEqualTo(0x11E8_1234L);
        assertThat(function.isPresent()).isTrue();
        assertThat(device.calls).containsExactly("reset FLR");
        taken.close();
    }

    @Rule("PC-61")
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void everyWidthThatCoversTheBitResets(int bytes) {
        int at = Offsets.DEVCTL + (bytes == 1 ? 1 : 0);
        function.writeConfig(at, bytes, bytes == 1 ? 0x80 : 0x8000);
        assertThat(device.calls).containsExactly("reset FLR");
        function.writeConfig(Offsets.DEVCTL, 1, 0xFF);
        function.writeConfig(Offsets.DEVCTL + 2, 2, 0xFFFF);
        assertThat(device.calls).hasSize(1);
    }

    @Rule("PC-62")
    @Test
    void aDmaBegunBeforeAResetArrivesNotAfterIt() {
        Armed armed = machine.execution.arm("bus.dma.between-transactions", this::flrAndRestore);
        long result = machine.write(device, TestMemory.BASE, filled(8192, 5));
        armed.close();
        assertThat(result).isEqualTo(DmaResult.of(DmaResult.GONE, 4096));
        assertThat(ram(TestMemory.BASE + 4096)).isZero();
        assertThat(machine.write(device, TestMemory.BASE + 4096, filled(1, 6)))
                .as("the new life may send")
                .isEqualTo(1);
    }

    @Rule("PC-62")
    @Test
    void aDmaBegunBeforeAResetArrivesNotAfterTheNewLifeHasFoundItsWays() {
        Armed armed =
                machine.execution.arm(
                        "bus.dma.between-transactions",
                        () -> {
                            flrAndRestore();
                            machine.write(device, TestMemory.BASE + 8192, filled(1, 6));
                        });
        long result = machine.write(device, TestMemory.BASE, filled(8192, 5));
        armed.close();
        assertThat(result).isEqualTo(DmaResult.of(DmaResult.GONE, 4096));
        assertThat(ram(TestMemory.BASE + 4096)).isZero();
        assertThat(ram(TestMemory.BASE + 8192)).isEqualTo((byte) 6);
    }

    private void flrAndRestore() {
        flr();
        function.enable(true, true);
    }

    @Rule("PC-62")
    @Test
    void aResetWaitsForTheTransactionThatIsUnderWay() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger arrived = new AtomicInteger(-1);
        device.onReset = () -> arrived.set(ram(TestMemory.BASE));
        Armed armed = machine.execution.arm("bus.dma.before-copy", () -> hold(inside, go));
        AtomicLong result = new AtomicLong(-1);
        Thread engine =
                Thread.ofPlatform()
                        .start(() ->
                                result.set(
                                        machine.write(device, TestMemory.BASE, filled(8192, 5))));
        inside.await();
        Thread host = Thread.ofPlatform().start(this::flr);
        awaitWaiting(host);
        assertThat(device.calls).as("the device is not reset yet").isEmpty();
        go.countDown();
        host.join();
        engine.join();
        armed.close();
        assertThat(arrived).as("seen by the reset").hasValue(5);
        assertThat(result).hasValue(DmaResult.of(DmaResult.GONE, 4096));
        assertThat(ram(TestMemory.BASE + 4096)).isZero();
    }

    @Rule("PC-62")
    @Test
    void nothingIsSentDuringAReset() {
        AtomicInteger dma = new AtomicInteger();
        AtomicInteger interrupt = new AtomicInteger();
        device.onReset =
                () -> {
                    function.enable(true, true);
                    dma.set(status(machine.write(device, TestMemory.BASE, filled(8, 5))));
                    interrupt.set(device.slot.interrupts().raise(0));
                };
        flr();
        assertThat(dma).hasValue(DmaResult.GONE);
        assertThat(interrupt).hasValue(DmaResult.GONE);
        assertThat(ram(TestMemory.BASE)).isZero();
    }

    @Rule("PC-62")
    @Test
    void aPeersWriteThatWaitsAtTheTargetIsLostWithTheTargetsReset() throws Exception {
        PcieFunction peer = machine.plug("test1", "00:05.0");
        TestDevice target = machine.type.last();
        long base = peer.bar(0).first().value();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Armed armed = machine.execution.arm("bus.dma.before-arrival", () -> hold(inside, go));
        machine.write(device, base, filled(4, 1));
        inside.await();
        peer.writeConfig(Offsets.DEVCTL, 2, Offsets.DEVCTL_FLR);
        peer.writeConfig(Offsets.BAR0, 4, base);
        peer.enable(true, true);
        go.countDown();
        assertThat(machine.read(device, base, filled(4, 0))).isEqualTo(4);
        armed.close();
        assertThat(target.calls).containsExactly("reset FLR", "read 0 0x0/4");
    }

    @Rule("PC-24")
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aPowerStateThatItDoesNotHaveChangesNothing(int state) {
        function.writeConfig(Offsets.PMCSR, 2, state);
        assertThat(function.readConfig(Offsets.PMCSR, 2)).isZero();
        function.writeConfig(Offsets.PMCSR, 2, Offsets.D3HOT);
        function.writeConfig(Offsets.PMCSR, 2, state);
        assertThat(function.readConfig(Offsets.PMCSR, 2)).isEqualTo(Offsets.D3HOT);
        assertThat(device.calls).isEmpty();
    }

    @Rule("PC-25")
    @Test
    void inD3hotOnlyConfigSpaceAnswers() {
        PcieFunction peer = machine.plug("test1", "00:05.0");
        assertThat(peer.isPresent()).isTrue();
        long base = function.bar(2).first().value();
        function.writeConfig(Offsets.PMCSR, 2, Offsets.D3HOT);
        assertThat(function.readConfig(0, 4)).isEqualTo(0x11E8_1234L);
        assertThat(function.read(0, 0, 4)).isEqualTo(ONES);
        assertThat(status(machine.read(machine.type.last(), base, filled(4, 0))))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(status(machine.write(device, TestMemory.BASE, filled(4, 1))))
                .isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(ram(TestMemory.BASE)).isZero();
    }

    @Rule("PC-26")
    @Test
    void backFromD3hotTheFunctionIsReset() {
        function.writeConfig(Offsets.PMCSR, 2, Offsets.D3HOT);
        function.writeConfig(Offsets.PMCSR, 2, Offsets.D0);
        assertThat(device.calls).containsExactly("reset POWER");
        assertThat(function.readConfig(Offsets.COMMAND, 2)).isZero();
        assertThat(function.readConfig(Offsets.BAR0, 4)).isZero();
        assertThat(function.read(0, 0, 4)).isEqualTo(ONES);
    }

    // PC-68 in part: the function leaves; ports and their slot registers come with bridges
    @Test
    void removalWaitsForTheTransactionThatIsUnderWayAndRefusesTheRest() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Armed armed = machine.execution.arm("bus.dma.before-copy", () -> hold(inside, go));
        AtomicLong result = new AtomicLong(-1);
        Thread engine =
                Thread.ofPlatform()
                        .start(() ->
                                result.set(
                                        machine.write(device, TestMemory.BASE, filled(8192, 5))));
        inside.await();
        Thread host = Thread.ofPlatform().start(() -> machine.root.removeType(machine.type));
        awaitRemovalWaits();
        assertThat(device.calls).as("not closed while its DMA is under way").isEmpty();
        go.countDown();
        host.join();
        engine.join();
        armed.close();
        assertThat(result).hasValue(DmaResult.of(DmaResult.GONE, 4096));
        assertThat(ram(TestMemory.BASE)).as("had left its port").isEqualTo((byte) 5);
        assertThat(device.calls).containsExactly("close");
        assertThat(status(machine.write(device, TestMemory.BASE, filled(1, 1))))
                .isEqualTo(DmaResult.GONE);
        assertThat(device.slot.interrupts().raise(0)).isEqualTo(DmaResult.GONE);
    }

    // PC-68 in part: the function leaves; ports and their slot registers come with bridges
    @Test
    void aPeersTransactionToARemovedBarEndsBeforeTheDeviceIsClosed() throws Exception {
        PcieFunction peer = machine.plug("test1", "00:05.0");
        TestDevice initiator = machine.type.last();
        assertThat(peer.isPresent()).isTrue();
        long base = function.bar(2).first().value();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Armed armed = machine.execution.arm("bus.dma.before-copy", () -> hold(inside, go));
        AtomicLong result = new AtomicLong(-1);
        Thread engine =
                Thread.ofPlatform()
                        .start(() -> result.set(machine.read(initiator, base, filled(8, 0))));
        inside.await();
        SlotConfig slot = machine.slot;
        Thread host = Thread.ofPlatform().start(() -> machine.root.removeSlot(slot));
        awaitRemovalWaits();
        assertThat(device.calls).isEmpty();
        go.countDown();
        host.join();
        engine.join();
        armed.close();
        assertThat(result).hasValue(8);
        assertThat(device.calls).containsExactly("close");
        assertThat(status(machine.read(initiator, base, filled(8, 0))))
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
    }

    @Test
    void removalWaitsForTheRegisterAccessThatIsUnderWay() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        device.onRead = () -> hold(inside, go);
        Thread cpu = Thread.ofPlatform().start(() -> function.read(0, 0, 4));
        inside.await();
        Thread host = Thread.ofPlatform().start(() -> machine.root.removeType(machine.type));
        awaitRemovalWaits();
        assertThat(device.calls).isEmpty();
        go.countDown();
        cpu.join();
        host.join();
        assertThat(device.calls).containsExactly("read 0 0x0/4", "close");
    }

    /** The life-cycle thread has gone as far as it can. */
    private void awaitRemovalWaits() {
        Await.until("the function to be gone", () -> !function.isPresent());
        machine.execution.awaitWaiting("bus.life-cycle");
    }

    private static void hold(CountDownLatch inside, CountDownLatch go) {
        inside.countDown();
        try {
            go.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitWaiting(Thread thread) {
        Await.untilWaits(thread);
    }
}
