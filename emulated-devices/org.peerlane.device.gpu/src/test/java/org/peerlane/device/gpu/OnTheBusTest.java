package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.FENCE;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT;
import static org.peerlane.device.gpu.TestGpu.VRAM;
import static org.peerlane.device.gpu.TestGpu.copy;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.fill;
import static org.peerlane.device.gpu.TestGpu.header;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.WatchedExecution;

@DisplayName("A GPU on the bus")
class OnTheBusTest {
    private static final long MIB = 1 << 20;
    private static final long OURS = 0x5A5A_5A5A_5A5A_5A5AL;
    private static final long LONGER_THAN_A_RESET = 5_000_000;
    private static final Map<String, Object> SMALL = Map.of("vramMiB", 1);

    @Test
    void tellsItsDriverByMemoryAndByMessage() throws Exception {
        WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
        try (Machine machine = new Machine(execution)) {
            PcieFunction gpu = machine.plug("gpu0", "sw0.0", SMALL);
            CountDownLatch interrupted = new CountDownLatch(1);
            long page = machine.page();
            long ring = machine.page();
            try (AutoCloseable handler = gpu.requestInterrupt(5, interrupted::countDown)) {
                assertThat(handler).isNotNull();
                gpu.write(2, 0x1000, 8, 0x1234);
                Machine.start(gpu, ring);
                machine.run(
                        gpu,
                        ring,
                        copy(VRAM, 0x1000, BUS, page + 8, 8),
                        new long[] {header(FENCE, BUS << 2 | INTERRUPT, 3, 5, 0), page, 77});
                assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
                assertThat(machine.word(page)).isEqualTo(77);
                assertThat(machine.word(page + 8)).isEqualTo(0x1234);
            }
        }
        assertThat(execution.alive()).doesNotContain("gpu0.engine");
        assertThat(execution.failures()).isEmpty();
    }

    @Test
    void copiesIntoTheVideoMemoryOfAPeer() {
        WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
        try (Machine machine = new Machine(execution)) {
            PcieFunction one = machine.plug("gpu0", "sw0.0", SMALL);
            PcieFunction two = machine.plug("gpu1", "sw0.1", SMALL);
            machine.direct();
            one.write(2, 0x1000, 8, 0xAB);
            long ring = machine.page();
            Machine.start(one, ring);
            long there = two.bar(2).first().value() + 0x8000;
            machine.run(one, ring, copy(VRAM, 0x1000, BUS, there, 8));
            Await.until("the copy", () -> one.read(0, TestGpu.PACKETS, 8) == 1);
            assertThat(two.read(2, 0x8000, 8)).isEqualTo(0xAB);
        }
    }

    @Test
    void behindASmallBarOnlyTheEngineReachesTheRest() {
        Map<String, Object> options = Map.of("vramMiB", 4, "visibleMiB", 1, "resizableBar", false);
        try (Machine machine = new Machine(new WatchedExecution(new LiveExecution("test")))) {
            PcieFunction gpu = machine.plug("gpu0", "sw0.0", options);
            assertThat(gpu.bar(2).bytes()).isEqualTo(MIB);
            gpu.write(2, 0, 8, 0xAB);
            assertThat(gpu.read(2, 3 * MIB, 8)).as("not decoded").isEqualTo(-1);
            long ring = machine.page();
            Machine.start(gpu, ring);
            machine.run(
                    gpu,
                    ring,
                    copy(VRAM, 0, VRAM, 3 * MIB, 8),
                    fill(VRAM, 0, 8, 0),
                    copy(VRAM, 3 * MIB, VRAM, 8, 8));
            Await.until("the copies", () -> gpu.read(0, TestGpu.PACKETS, 8) == 3);
            assertThat(gpu.read(2, 0, 8)).isZero();
            assertThat(gpu.read(2, 8, 8)).isEqualTo(0xAB);
        }
    }

    @Rule("PC-37")
    @Test
    void aResizedBarShowsAllOfTheSameMemory() {
        Map<String, Object> options = Map.of("vramMiB", 4, "visibleMiB", 1);
        try (Machine machine = new Machine(new WatchedExecution(new LiveExecution("test")))) {
            PcieFunction gpu = machine.plug("gpu0", "sw0.0", options);
            gpu.write(2, 8, 8, 0xAB);
            gpu.enable(false, false);
            gpu.resizeBar(2, 4 * MIB);
            gpu.enable(true, true);
            assertThat(gpu.bar(2).bytes()).isEqualTo(4 * MIB);
            assertThat(gpu.read(2, 8, 8)).isEqualTo(0xAB);
            gpu.write(2, 4 * MIB - 8, 8, 0xCD);
            long ring = machine.page();
            Machine.start(gpu, ring);
            machine.run(gpu, ring, copy(VRAM, 4 * MIB - 8, VRAM, 16, 8));
            Await.until("the copy", () -> gpu.read(0, TestGpu.PACKETS, 8) == 1);
            assertThat(gpu.read(2, 16, 8)).isEqualTo(0xCD);
            Machine.reset(gpu);
            gpu.enable(true, true);
            assertThat(gpu.read(2, 8, 8)).as("lost").isZero();
        }
    }

    @Test
    void withoutBusMasteringItStopsAndSaysSo() {
        try (Machine machine = new Machine(new WatchedExecution(new LiveExecution("test")))) {
            PcieFunction gpu = machine.plug("gpu0", "sw0.0", SMALL);
            gpu.enable(true, false);
            long ring = machine.page();
            Machine.start(gpu, ring);
            machine.run(gpu, ring, fence(BUS, ring + 0x800, 1));
            Await.until("the stop", () -> gpu.read(0, TestGpu.STATUS, 4) == TestGpu.HALTED);
            assertThat(gpu.read(0, TestGpu.ERROR, 4))
                    .isEqualTo(10 | DmaResult.BUS_MASTER_OFF << 16);
        }
    }

    @Rule("PC-68")
    @Explore(schedules = 10_000)
    void aPulledCardWritesItsFencesInOrderOrNotAndNothingAfterwards(Execution execution)
            throws Exception {
        WatchedExecution watched = new WatchedExecution(execution);
        try (Machine machine = new Machine(watched)) {
            PcieFunction gpu = machine.plug("gpu0", "sw0.0", SMALL);
            long page = machine.page();
            long ring = machine.page();
            AtomicInteger interrupts = new AtomicInteger();
            AutoCloseable handler =
                    gpu.requestInterrupt(
                            1,
                            () -> {
                                assertThat(machine.word(page + 8)).isEqualTo(2);
                                interrupts.incrementAndGet();
                            });
            Machine.start(gpu, ring);
            machine.run(
                    gpu,
                    ring,
                    fence(BUS, page, 1),
                    new long[] {header(FENCE, BUS << 2 | INTERRUPT, 3, 1, 0), page + 8, 2},
                    fence(BUS, page + 16, 3));
            execution.sleep(1);
            machine.root.pull("gpu0");
            machine.settle();
            long first = machine.word(page);
            long second = machine.word(page + 8);
            long third = machine.word(page + 16);
            assertThat(first).isIn(0L, 1L);
            assertThat(second).isIn(0L, first == 1 ? 2L : 0L);
            assertThat(third).isIn(0L, second == 2 ? 3L : 0L);
            for (int i = 0; i < 3; i++) {
                machine.word(page + 8 * i, OURS);
            }
            handler.close();
            int before = interrupts.get();
            assertThat(watched.alive()).doesNotContain("gpu0.engine");
            assertThat(watched.failures()).isEmpty();
            execution.sleep(1_000_000);
            for (int i = 0; i < 3; i++) {
                assertThat(machine.word(page + 8 * i)).isEqualTo(OURS);
            }
            assertThat(interrupts.get()).isEqualTo(before);
        }
    }

    @Rule("PC-62")
    @Explore(schedules = 10_000)
    void nothingOfALifeArrivesAfterAResetOfTheFunction(Execution execution) throws Exception {
        WatchedExecution watched = new WatchedExecution(execution);
        try (Machine machine = new Machine(watched);
                var held = watched.arm("gpu.fence.before-write", () -> pause(execution))) {
            PcieFunction gpu = machine.plug("gpu0", "sw0.0", SMALL);
            long page = machine.page();
            long ring = machine.page();
            gpu.write(2, 0, 8, -1);
            Machine.start(gpu, ring);
            machine.run(
                    gpu,
                    ring,
                    copy(VRAM, 0, BUS, page, 64),
                    fence(BUS, page + 64, -1),
                    fence(VRAM, 8, -1));
            for (int looks = 0; held.hits() == 0; looks++) {
                assertThat(looks).isLessThan(1000);
                execution.sleep(10_000);
            }
            Machine.reset(gpu);
            for (int i = 0; i <= 64; i += 8) {
                machine.word(page + i, OURS);
            }
            gpu.enable(true, true);
            assertThat(gpu.read(2, 0, 8)).isZero();
            execution.sleep(10 * LONGER_THAN_A_RESET);
            assertThat(gpu.read(2, 0, 8)).isZero();
            assertThat(gpu.read(2, 8, 8)).isZero();
            for (int i = 0; i <= 64; i += 8) {
                assertThat(machine.word(page + i)).isEqualTo(OURS);
            }
            assertThat(watched.failures()).isEmpty();
        }
    }

    private static void pause(Execution execution) {
        try {
            execution.sleep(LONGER_THAN_A_RESET);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
