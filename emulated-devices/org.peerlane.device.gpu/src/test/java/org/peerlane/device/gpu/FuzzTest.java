package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.CONTROL;
import static org.peerlane.device.gpu.TestGpu.RESET;
import static org.peerlane.device.gpu.TestGpu.RUN;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.header;

import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Await;

/** Rounds of nonsense, each ended by a reset. A failure names its round, which is its seed. */
@DisplayName("A GPU that is told nonsense")
@Timeout(120)
class FuzzTest {
    private static final int ROUNDS = 3000;
    private static final int LOOKS = 300;
    private static final int[] WORDS = {1, 4, 3, 3, 1};

    private final TestGpu gpu = new TestGpu();

    /** An address or a length: mostly such that something happens. */
    private static long number(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextLong();
            case 1 -> -1L - random.nextInt(64);
            case 2 -> random.nextInt(64);
            case 3 -> TestGpu.VRAM_BYTES - random.nextInt(64);
            case 4 -> (1L << 39) - random.nextInt(64);
            default -> random.nextInt(TestGpu.VRAM_BYTES) & -8L;
        };
    }

    private static long head(Random random) {
        if (random.nextInt(12) == 0) {
            return random.nextLong();
        }
        int opcode = random.nextInt(5);
        boolean fence = opcode == TestGpu.FENCE;
        int flags =
                switch (opcode) {
                    case TestGpu.COPY -> random.nextInt(3) | random.nextInt(3) << 2;
                    case TestGpu.FILL, TestGpu.FENCE -> random.nextInt(3) << 2;
                    default -> 0;
                };
        boolean loud = opcode == TestGpu.TRAP || fence && random.nextBoolean();
        return header(
                opcode,
                fence && loud ? flags | TestGpu.INTERRUPT : flags,
                WORDS[opcode],
                loud ? random.nextInt(9) : 0,
                opcode == TestGpu.FILL || opcode == TestGpu.TRAP ? random.nextInt() : 0);
    }

    private void fillRing(Random random, long ring) {
        for (int i = 0; i < 512; ) {
            long head = head(random);
            gpu.slot.word(ring + 8L * i++, head);
            int words = (int) (head >>> 16 & 0xFF);
            for (int w = 1; w < words && i < 512; w++) {
                gpu.slot.word(ring + 8L * i++, number(random));
            }
        }
    }

    private void fillTables(Random random) {
        for (int i = 0; i < 512; i++) {
            long flags = random.nextInt(20) == 0 ? random.nextInt(4096) : 1 | random.nextInt(16);
            gpu.slot.word(0x10000 + 8L * i, (number(random) & -4096L) | flags);
        }
        gpu.slot.word(0x10000, 0x10000 | 1); // a table that is its own next
    }

    @Test
    void neverThrowsAndWorksAfterAReset() {
        Set<GpuError> seen = EnumSet.noneOf(GpuError.class);
        for (int round = 0; round < ROUNDS; round++) {
            Random random = new Random(round);
            fillRing(random, TestGpu.RING);
            fillTables(random);
            boolean sane = random.nextInt(8) != 0;
            gpu.setWide(
                    TestGpu.RING_BASE,
                    sane ? TestGpu.RING : random.nextBoolean() ? 0x4000_0000 : random.nextLong());
            gpu.set(TestGpu.RING_SETUP, sane || random.nextBoolean() ? 12 : random.nextInt());
            gpu.setWide(TestGpu.WRITE_BACK, random.nextInt(4) == 0 ? number(random) | 3 : 0x3001);
            gpu.setWide(TestGpu.MMU_BASE, 0x10000);
            gpu.set(TestGpu.MMU_CONTROL, random.nextInt(4) == 0 ? 3 : 1);
            gpu.set(TestGpu.INTERRUPT_ENABLE, random.nextInt());
            gpu.set(
                    TestGpu.RING_TAIL,
                    sane || random.nextBoolean() ? random.nextInt(512) * 8L : random.nextInt());
            gpu.set(CONTROL, RUN);
            for (int looks = 0; looks < LOOKS && gpu.get(CONTROL) == RUN; looks++) {
                Await.pause("the engine", looks);
                if (random.nextInt(50) == 0) {
                    gpu.set(random.nextInt(0x80 / 4) * 4, random.nextInt() & 0x7FFF_FFFF);
                }
            }
            for (GpuError error : GpuError.values()) {
                if (error.code() == gpu.errorCode()) {
                    seen.add(error);
                }
            }
            recover(random, round);
        }
        assertThat(seen).as("all of them").isEqualTo(EnumSet.allOf(GpuError.class));
        gpu.close();
    }

    private void recover(Random random, int round) {
        if (random.nextBoolean()) {
            gpu.gpu.reset(ResetKind.FLR);
        } else {
            gpu.set(CONTROL, RESET);
            Await.until("the reset of round " + round, () -> gpu.get(CONTROL) == 0);
        }
        assertThat(gpu.execution.failures()).as("round %d", round).isEmpty();
        gpu.slot.word(0x3008, 0);
        gpu.slot.interrupts.clear();
        gpu.slot.events.clear();
        gpu.start().run(fence(TestGpu.BUS, 0x3008, round + 1));
        assertThat(gpu.slot.word(0x3008)).as("round %d", round).isEqualTo(round + 1);
        assertThat(gpu.vramWord(TestGpu.VRAM_BYTES - 8)).as("round %d", round).isZero();
        gpu.gpu.reset(ResetKind.FLR);
    }
}
