package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Rule;

@DisplayName("Writes on their way")
class PostedPathTest {
    private static final List<PortConfig> PORTS =
            List.of(
                    new PortConfig("rp0", "00:01.0", 0, true, true),
                    new PortConfig("sw0", "rp0", 2, true, true));

    private final TestMachine machine =
            new TestMachine(List.of(HostBridgeConfig.DEFAULT), PORTS, false, true);
    private final CountDownLatch held = new CountDownLatch(1);
    private final PcieFunction target = machine.plugBelow("sw0.0", "target");
    private final PcieFunction writer = machine.plugBelow("sw0.1", "writer");
    private final MemorySegment ram = machine.memory.regions().getFirst().segment();
    private final MemorySegment data = TestMachine.filled(64, 9);

    @AfterEach
    void close() {
        held.countDown();
        machine.close();
    }

    private void hold(String checkpoint) {
        machine.execution.arm(checkpoint, this::await);
    }

    private void await() {
        try {
            held.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private long write(long address) {
        return machine.write(machine.type.made.get(1), address, data);
    }

    private int readOf(int device, long address) {
        return TestMachine.status(
                machine.read(machine.type.made.get(device), address, TestMachine.filled(64, 0)));
    }

    private byte inRam() {
        return ram.get(ValueLayout.JAVA_BYTE, 0);
    }

    @Test
    @Rule("PC-72")
    void aPeersMemoryMaySeeItsWriteAfterRamHasSeenALaterOne() {
        hold("bus.posted.to-peer");
        assertThat(write(target.bar(2).first().value())).isEqualTo(64);
        assertThat(write(TestMemory.BASE)).isEqualTo(64);
        // a read back pushes the writes of its own path, and of no other
        assertThat(readOf(1, TestMemory.BASE)).isEqualTo(DmaResult.OK);
        assertThat(inRam()).isEqualTo((byte) 9);
        assertThat(machine.vram.get(ValueLayout.JAVA_BYTE, 0)).isZero();
        held.countDown();
        assertThat(readOf(1, target.bar(2).first().value())).isEqualTo(DmaResult.OK);
        assertThat(machine.vram.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 9);
    }

    @Test
    @Rule("PC-65")
    void whatHasBeenIssuedArrivesAlthoughBusMasterIsOffByThen() {
        hold("bus.posted.to-root");
        write(TestMemory.BASE);
        writer.writeConfig(4, 2, 2);
        assertThat(TestMachine.status(write(TestMemory.BASE + 4096)))
                .isEqualTo(DmaResult.BUS_MASTER_OFF);
        held.countDown();
        writer.writeConfig(4, 2, 6);
        assertThat(readOf(1, TestMemory.BASE)).isEqualTo(DmaResult.OK);
        assertThat(inRam()).isEqualTo((byte) 9);
    }

    @Test
    @Rule("PC-62")
    void whatWasBegunBeforeAResetDoesNotArriveAfterIt() {
        hold("bus.posted.to-root");
        write(TestMemory.BASE);
        int flr = Offsets.DEVCTL;
        writer.writeConfig(flr, 2, writer.readConfig(flr, 2) | 1 << 15);
        held.countDown();
        writer.enable(true, true);
        assertThat(readOf(1, TestMemory.BASE)).isEqualTo(DmaResult.OK);
        assertThat(inRam()).isZero();
        assertThat(machine.events(BusEvents.DmaLost.class).getLast().why())
                .contains("earlier life");
    }

    @Test
    @Rule("PC-68")
    void whatHadLeftADeviceThatIsPulledOutArrives() {
        Thread pull = Thread.ofPlatform().unstarted(() -> machine.root.removeType(machine.type));
        hold("bus.posted.to-root");
        write(TestMemory.BASE);
        pull.start();
        Await.until("the writer to be gone", () -> !writer.isPresent());
        assertThat(TestMachine.status(write(TestMemory.BASE))).isEqualTo(DmaResult.GONE);
        held.countDown();
        try {
            pull.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertThat(inRam()).isEqualTo((byte) 9);
    }

    @Test
    void thePathToAPeerThatHasLeftEnds() {
        write(target.bar(2).first().value());
        assertThat(readOf(1, target.bar(2).first().value())).isEqualTo(DmaResult.OK);
        assertThat(machine.execution.alive()).contains("writer.to-target");
        machine.root.pull("target");
        Await.until(
                "the path to end", () -> !machine.execution.alive().contains("writer.to-target"));
        machine.root.plug("target");
        machine.function("target").enable(true, true);
        long bar = machine.function("target").bar(2).first().value();
        write(bar);
        assertThat(readOf(1, bar)).isEqualTo(DmaResult.OK);
        assertThat(machine.vram.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 9);
    }

    @Test
    @Rule("PC-71")
    @Rule("PC-30")
    void anInterruptPushesTheEarlierWritesOfItsPath() throws Exception {
        CountDownLatch came = new CountDownLatch(1);
        byte[] seen = new byte[1];
        try (AutoCloseable _ =
                writer.requestInterrupt(
                        0,
                        () -> {
                            seen[0] = inRam();
                            came.countDown();
                        })) {
            write(TestMemory.BASE);
            assertThat(machine.type.made.get(1).slot.interrupts().raise(0)).isZero();
            came.await();
            assertThat(seen[0]).isEqualTo((byte) 9);
        }
    }
}
