package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.FENCE;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT;
import static org.peerlane.device.gpu.TestGpu.RUN;
import static org.peerlane.device.gpu.TestGpu.VIRTUAL;
import static org.peerlane.device.gpu.TestGpu.VRAM;
import static org.peerlane.device.gpu.TestGpu.copy;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.fill;
import static org.peerlane.device.gpu.TestGpu.header;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.WatchedExecution;

@DisplayName("A GPU's engine against resets and invalidations, in many orders")
class ResetRaceTest {
    private static final long RING = 0x1000;
    private static final int DATA = 0x2000;
    private static final int DATA_BYTES = 0x1000;
    private static final byte OURS = 0x5A;
    private static final long PAUSE = 10_000;

    /** A small card whose DMA takes time, and whose bus holds up nobody. */
    private static final class Card {
        final WatchedExecution execution;
        final TestSlot slot;
        final GpuDevice gpu;
        final MemorySegment vram;
        private long tail;

        Card(Execution execution) {
            this.execution = new WatchedExecution(execution);
            slot = new TestSlot(this.execution, 0x8000, Map.of("vramMiB", 1));
            gpu = (GpuDevice) new GpuDeviceType().create(slot);
            vram = Objects.requireNonNull(gpu.layout().bar(2).map(BarLayout::memory).orElseThrow());
        }

        void start() {
            gpu.write(0, TestGpu.RING_BASE, 8, RING);
            gpu.write(0, TestGpu.RING_SETUP, 4, 12);
            tail = 0;
            gpu.write(0, TestGpu.CONTROL, 4, RUN);
        }

        void put(long... words) {
            for (long word : words) {
                slot.word(RING + tail, word);
                tail += 8;
            }
        }

        void ring() {
            gpu.write(0, TestGpu.RING_TAIL, 4, tail);
        }

        /** What the next user of the memory puts there. */
        void takeOver() {
            data().fill(OURS);
            vram.asSlice(0, DATA_BYTES).fill(OURS);
            slot.interrupts.clear();
        }

        MemorySegment data() {
            return slot.ram.asSlice(DATA, DATA_BYTES);
        }

        void awaitZero(int register, long bits) throws InterruptedException {
            for (int looks = 0; (gpu.read(0, register, 4) & bits) != 0; looks++) {
                assertThat(looks).as("looks at 0x%x", register).isLessThan(1000);
                execution.sleep(PAUSE);
            }
        }

        /** Lets everybody go on until all wait. */
        void settle() throws InterruptedException {
            execution.sleep(1_000_000_000);
        }

        void finish() {
            gpu.close();
            assertThat(execution.failures()).isEmpty();
        }

        void expectOurs(MemorySegment memory) {
            byte[] ours = new byte[(int) memory.byteSize()];
            Arrays.fill(ours, OURS);
            assertThat(Arrays.equals(memory.toArray(ValueLayout.JAVA_BYTE), ours)).isTrue();
        }
    }

    private static Card busyCard(Execution execution) {
        Card card = new Card(execution);
        card.vram.fill((byte) 0x11);
        card.gpu.write(0, TestGpu.WRITE_BACK, 8, DATA + 0x800 | 1);
        card.start();
        card.put(copy(VRAM, 0x8000, BUS, DATA, 256));
        card.put(copy(BUS, DATA, VRAM, 0, 256));
        card.put(fill(BUS, DATA, 64, 7));
        card.put(header(FENCE, BUS << 2 | INTERRUPT, 3, 1, 0), DATA + 0x400, -1);
        card.put(fence(VRAM, 0x100, -1));
        card.ring();
        return card;
    }

    @Rule("PC-62")
    @Explore(schedules = 10_000)
    void nothingOfALifeHappensAfterAResetOfTheFunction(Execution execution)
            throws InterruptedException {
        Card card = busyCard(execution);
        execution.sleep(1);
        card.gpu.reset(ResetKind.FLR);
        assertThat(card.vram.get(ValueLayout.JAVA_BYTE, 0x8000)).isZero();
        card.takeOver();
        card.start(); // the next life must not help the old one on
        card.settle();
        card.expectOurs(card.data());
        card.expectOurs(card.vram.asSlice(0, DATA_BYTES));
        assertThat(card.slot.interrupts).isEmpty();
        assertThat(card.gpu.read(0, TestGpu.ERROR, 4)).isZero();
        assertThat(card.gpu.read(0, TestGpu.RING_HEAD, 4)).isZero();
        card.finish();
    }

    @Explore(schedules = 10_000)
    void nothingOfALifeHappensAfterAResetByControl(Execution execution)
            throws InterruptedException {
        Card card = busyCard(execution);
        execution.sleep(1);
        card.gpu.write(0, TestGpu.CONTROL, 4, TestGpu.RESET);
        card.awaitZero(TestGpu.CONTROL, TestGpu.RESET);
        assertThat(card.vram.get(ValueLayout.JAVA_BYTE, 0x8000)).isZero();
        card.takeOver();
        card.start();
        card.settle();
        card.expectOurs(card.data());
        card.expectOurs(card.vram.asSlice(0, DATA_BYTES));
        assertThat(card.slot.interrupts).isEmpty();
        assertThat(card.gpu.read(0, TestGpu.ERROR, 4)).isZero();
        card.finish();
    }

    @Explore(schedules = 10_000)
    void bothResetsAtOnceLeaveACardThatWorks(Execution execution) throws InterruptedException {
        Card card = busyCard(execution);
        var other =
                card.execution.start(
                        ThreadKind.BLOCKING,
                        "software",
                        () -> card.gpu.write(0, TestGpu.CONTROL, 4, TestGpu.RESET));
        card.gpu.reset(ResetKind.FLR);
        other.join();
        card.awaitZero(TestGpu.CONTROL, TestGpu.RESET);
        card.takeOver();
        card.start();
        card.put(fence(VRAM, 0x2000, 3));
        card.ring();
        for (int looks = 0; card.gpu.read(0, TestGpu.RING_HEAD, 4) != 24; looks++) {
            assertThat(looks).isLessThan(1000);
            execution.sleep(PAUSE);
        }
        card.settle();
        card.expectOurs(card.vram.asSlice(0, DATA_BYTES));
        assertThat(card.vram.get(ValueLayout.JAVA_LONG, 0x2000)).isEqualTo(3);
        card.finish();
    }

    @Explore(schedules = 10_000)
    void noStepUsesATranslationThatAnInvalidationHasDropped(Execution execution)
            throws InterruptedException {
        Card card = new Card(execution);
        long table = 0x4000;
        card.slot.word(table, table + 0x1000 | 1);
        card.slot.word(table + 0x1000, table + 0x2000 | 1);
        card.slot.word(table + 0x2000, DATA | 0xB);
        card.gpu.write(0, TestGpu.MMU_BASE, 8, table);
        card.gpu.write(0, TestGpu.MMU_CONTROL, 4, 1);
        card.start();
        for (int i = 0; i < 3; i++) {
            card.put(fill(VIRTUAL, i * 512L, 512, 7));
        }
        card.ring();
        execution.sleep(1);
        card.slot.word(table + 0x2000, 0);
        card.gpu.write(0, TestGpu.MMU_CONTROL, 4, 1L << 31 | 1);
        card.awaitZero(TestGpu.MMU_CONTROL, 1L << 31);
        card.data().fill(OURS);
        card.settle();
        card.finish();
        card.expectOurs(card.data());
    }

    @Explore(schedules = 10_000)
    void noDoorbellIsLost(Execution execution) throws InterruptedException {
        Card card = new Card(execution);
        card.start();
        for (int i = 1; i <= 3; i++) {
            card.put(fence(BUS, DATA + 8 * i, i));
            card.ring();
        }
        for (int looks = 0; card.gpu.read(0, TestGpu.PACKETS, 8) != 3; looks++) {
            assertThat(looks).isLessThan(1000);
            execution.sleep(PAUSE);
        }
        card.finish();
        assertThat(card.slot.word(DATA + 24)).isEqualTo(3);
    }

    @Explore(schedules = 10_000)
    void aCardThatIsClosedEndsWhateverItDoes(Execution execution) throws InterruptedException {
        Card card = busyCard(execution);
        execution.sleep(1);
        card.gpu.close();
        card.data().fill(OURS);
        card.slot.interrupts.clear();
        card.settle();
        assertThat(card.execution.failures()).isEmpty();
        card.expectOurs(card.data());
        assertThat(card.slot.interrupts).isEmpty();
    }
}
