package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.CONTROL;
import static org.peerlane.device.gpu.TestGpu.FENCE;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT_ENABLE;
import static org.peerlane.device.gpu.TestGpu.MMU_BASE;
import static org.peerlane.device.gpu.TestGpu.PACKETS;
import static org.peerlane.device.gpu.TestGpu.RESET;
import static org.peerlane.device.gpu.TestGpu.RING_BASE;
import static org.peerlane.device.gpu.TestGpu.RUN;
import static org.peerlane.device.gpu.TestGpu.VRAM;
import static org.peerlane.device.gpu.TestGpu.VRAM_BYTES;
import static org.peerlane.device.gpu.TestGpu.WRITE_BACK;
import static org.peerlane.device.gpu.TestGpu.bytes;
import static org.peerlane.device.gpu.TestGpu.copy;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.fill;
import static org.peerlane.device.gpu.TestGpu.header;
import static org.peerlane.device.gpu.TestGpu.pattern;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Await;

@DisplayName("Resets of a GPU")
class ResetTest {
    private static final int[] ALL_REGISTERS = {
        0x10, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28, 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C,
        0x50, 0x58, 0x5C, 0x60, 0x68, 0x6C, 0x70, 0x78, 0x7C,
    };

    private final TestGpu gpu = new TestGpu();

    @AfterEach
    void nothingStays() {
        gpu.close();
    }

    /** Leaves something in every register and at both ends of the VRAM. */
    private void use() {
        gpu.set(INTERRUPT_ENABLE, 3);
        gpu.setWide(MMU_BASE, 0x5000);
        gpu.setWide(WRITE_BACK, 0x3001);
        gpu.start();
        gpu.run(
                fence(VRAM, 0, -1),
                fence(VRAM, VRAM_BYTES - 8, -1),
                new long[] {header(TestGpu.TRAP, 0, 1, 1, 5)});
        gpu.fail(fence(TestGpu.VIRTUAL, 0x1238, 1));
    }

    private void expectNew() {
        assertThat(bytes(gpu.vram, 0, VRAM_BYTES)).containsOnly(0);
        for (int offset : ALL_REGISTERS) {
            assertThat(gpu.get(offset)).as("register 0x%x", offset).isZero();
        }
        assertThat(gpu.getWide(0x008)).isEqualTo(VRAM_BYTES);
    }

    private void softReset() {
        gpu.set(CONTROL, RESET);
        Await.until("the reset", () -> gpu.get(CONTROL) == 0);
    }

    private void reset(String how) {
        if (how.equals("CONTROL")) {
            softReset();
        } else {
            gpu.gpu.reset(ResetKind.valueOf(how));
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"CONTROL", "COLD", "HOT", "FLR", "POWER"})
    void leavesTheCardAsNewAndUsable(String how) {
        use();
        reset(how);
        expectNew();
        gpu.start().run(fence(BUS, 0x2000, 3));
        assertThat(gpu.slot.word(0x2000)).isEqualTo(3);
        assertThat(gpu.getWide(PACKETS)).isEqualTo(1);
    }

    @Test
    void noRegisterIsWrittenWhileAResetByControlIsUnderWay() {
        try (TestGpu.Stop stop = gpu.stopAt("gpu.reset.before-wipe")) {
            gpu.set(CONTROL, RESET);
            stop.awaitReached();
            gpu.setWide(RING_BASE, 0x1000);
            gpu.set(CONTROL, RUN);
            assertThat(gpu.get(CONTROL)).isEqualTo(RESET);
            assertThat(gpu.getWide(RING_BASE)).isZero();
            assertThat(gpu.gpu.refusedAccesses()).isEqualTo(2);
        }
        Await.until("the reset", () -> gpu.get(CONTROL) == 0);
    }

    @Test
    void aResetOfTheFunctionEndsOneByControl() {
        try (TestGpu.Stop stop = gpu.stopAt("gpu.reset.before-wipe")) {
            gpu.set(CONTROL, RESET);
            stop.awaitReached();
            gpu.gpu.reset(ResetKind.FLR);
            assertThat(gpu.get(CONTROL)).isZero();
            gpu.vramWord(0x40, 5); // the next user is early
        }
        gpu.start().run(fence(BUS, 0x2000, 3));
        assertThat(gpu.vramWord(0x40)).as("the engine did not wipe again").isEqualTo(5);
    }

    @ParameterizedTest(name = "{0} at {1}")
    @CsvSource({
        "CONTROL, gpu.ring.before-fetch",
        "FLR, gpu.ring.before-fetch",
        "CONTROL, gpu.copy.before-copy",
        "FLR, gpu.copy.before-copy",
        "FLR, gpu.fill.before-copy",
        "CONTROL, gpu.fence.before-write",
        "FLR, gpu.fence.before-write",
        "FLR, gpu.write-back.before-write",
        "CONTROL, gpu.interrupt.before-message",
        "FLR, gpu.interrupt.before-message",
    })
    void nothingOfBeforeHappensAfterwards(String how, String checkpoint) {
        gpu.setWide(WRITE_BACK, 0x3001);
        bytes(gpu.vram, 0x100, pattern(64));
        try (TestGpu.Stop stop = gpu.stopAt(checkpoint)) {
            gpu.start()
                    .put(copy(VRAM, 0x100, VRAM, 0x8000, 64))
                    .put(fill(VRAM, 0x9000, 64, -1))
                    .put(header(FENCE, VRAM << 2 | INTERRUPT, 3, 1, 0), 0xA000, -1)
                    .ringUp();
            stop.awaitReached();
            gpu.set(CONTROL, RESET);
            if (how.equals("FLR")) {
                gpu.gpu.reset(ResetKind.FLR);
            }
            gpu.slot.ram.fill((byte) 0);
        }
        Await.until("the reset", () -> gpu.get(CONTROL) == 0);
        gpu.execution.awaitWaiting("gpu0.engine");
        assertThat(gpu.slot.interrupts).isEmpty();
        assertThat(bytes(gpu.slot.ram, 0, 0x4000)).containsOnly(0);
        expectNew();
    }

    @ParameterizedTest(name = "{0}")
    @EnumSource(ResetKind.class)
    void aResetMayComeFromTheEngineItself(ResetKind kind) {
        try (var armed = gpu.execution.arm("gpu.copy.before-copy", () -> gpu.gpu.reset(kind))) {
            bytes(gpu.slot.ram, 0x100, pattern(64));
            gpu.start().put(copy(BUS, 0x100, VRAM, 0x8000, 64)).ringUp();
            Await.until("the copy", () -> armed.hits() == 1);
            gpu.execution.awaitWaiting("gpu0.engine");
        }
        expectNew();
    }

    @ParameterizedTest(name = "from {0} to {1}, the request ends with {2}")
    @CsvSource({"0, 1, 17", "1, 0, 17", "1, 1, 17", "1, 1, 0"})
    void aStepThatResetsItsOwnCardWritesNothingMore(int source, int destination, int status) {
        bytes(gpu.slot.ram, 0x10000, pattern(64));
        gpu.start();
        try (TestGpu.Stop stop = gpu.stopAt("gpu.copy.before-copy")) {
            gpu.put(copy(source, 0x10000, destination, 0x20000, 64)).ringUp();
            stop.awaitReached();
            gpu.slot.onRequest =
                    () -> {
                        gpu.slot.onRequest = null;
                        gpu.gpu.reset(ResetKind.FLR);
                        gpu.slot.status = status;
                    };
        }
        gpu.execution.awaitWaiting("gpu0.engine");
        gpu.slot.status = 0;
        assertThat(bytes(gpu.slot.ram, 0x20000, 64)).containsOnly(0);
        expectNew();
    }

    @Test
    void closingEndsALongCopyAtItsNextStep() {
        TestGpu other = new TestGpu();
        try (TestGpu.Stop stop = other.stopAt("gpu.copy.before-copy");
                var hits = other.execution.arm("gpu.copy.before-copy", () -> {})) {
            other.start().put(copy(BUS, 0, BUS, 0x100000, 1L << 62)).ringUp();
            stop.awaitReached();
            var closer = other.execution.start(ThreadKind.BLOCKING, "closer", other.gpu::close);
            other.execution.awaitWaiting("closer");
            stop.letGo();
            Await.until("the end", () -> !closer.isAlive());
            assertThat(hits.hits()).isLessThanOrEqualTo(1);
        }
        assertThat(other.execution.alive()).isEmpty();
        assertThat(other.execution.failures()).isEmpty();
    }
}
