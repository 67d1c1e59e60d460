package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.device.gpu.TestGpu.BUS;
import static org.peerlane.device.gpu.TestGpu.COPY;
import static org.peerlane.device.gpu.TestGpu.FENCE;
import static org.peerlane.device.gpu.TestGpu.FILL;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT_ENABLE;
import static org.peerlane.device.gpu.TestGpu.INTERRUPT_STATUS;
import static org.peerlane.device.gpu.TestGpu.NOP;
import static org.peerlane.device.gpu.TestGpu.RAM_BYTES;
import static org.peerlane.device.gpu.TestGpu.TRAP;
import static org.peerlane.device.gpu.TestGpu.TRAP_VALUE;
import static org.peerlane.device.gpu.TestGpu.VIRTUAL;
import static org.peerlane.device.gpu.TestGpu.VRAM;
import static org.peerlane.device.gpu.TestGpu.VRAM_BYTES;
import static org.peerlane.device.gpu.TestGpu.bytes;
import static org.peerlane.device.gpu.TestGpu.copy;
import static org.peerlane.device.gpu.TestGpu.fence;
import static org.peerlane.device.gpu.TestGpu.fill;
import static org.peerlane.device.gpu.TestGpu.header;
import static org.peerlane.device.gpu.TestGpu.pattern;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.testkit.Await;

@DisplayName("Packets of a GPU")
class PacketTest {
    private static final int BAD_OPCODE = 1;
    private static final int BAD_LENGTH = 2;
    private static final int RESERVED = 3;
    private static final int RANGE = 5;
    private static final int ALIGNMENT = 6;
    private static final int VECTOR = 7;
    private static final int BUS_ERROR = 9;

    private final TestGpu gpu = new TestGpu();

    @AfterEach
    void nothingStays() {
        gpu.close();
    }

    private MemorySegment memory(int space) {
        return space == VRAM ? gpu.vram : gpu.slot.ram;
    }

    @ParameterizedTest(name = "from {0} to {1}, {2} bytes")
    @CsvSource({
        "0, 0, 1", "0, 0, 4097", "0, 0, 200000",
        "0, 1, 1", "0, 1, 4097", "0, 1, 200000",
        "1, 0, 1", "1, 0, 4097", "1, 0, 200000",
        "1, 1, 1", "1, 1, 4097", "1, 1, 200000",
    })
    void copiesBetweenAnyTwoPlacesAndNoByteMore(int source, int destination, int length) {
        byte[] data = pattern(length);
        bytes(memory(source), 0x10003, data);
        gpu.start().run(copy(source, 0x10003, destination, 0x80005, length));
        assertThat(bytes(memory(destination), 0x80005, length)).isEqualTo(data);
        assertThat(bytes(memory(destination), 0x80004, 1)).containsExactly(0);
        assertThat(bytes(memory(destination), 0x80005L + length, 1)).containsExactly(0);
    }

    @Test
    void aLongCopyIsMadeInStepsOf64KiB() {
        try (var hits = gpu.execution.arm("gpu.copy.before-copy", () -> {})) {
            gpu.start().run(copy(VRAM, 0, BUS, 0x80000, 200_000));
            assertThat(hits.hits()).isEqualTo(4);
        }
    }

    @ParameterizedTest(name = "in {0}, {1} bytes")
    @CsvSource({"0, 4", "0, 4100", "0, 200000", "1, 4", "1, 4100", "1, 200000"})
    void fillsWithAPattern(int space, int length) {
        gpu.start().run(fill(space, 0x10004, length, 0xD4C3_B2A1));
        byte[] expected = new byte[length];
        for (int i = 0; i < length; i += 4) {
            expected[i] = (byte) 0xA1;
            expected[i + 1] = (byte) 0xB2;
            expected[i + 2] = (byte) 0xC3;
            expected[i + 3] = (byte) 0xD4;
        }
        assertThat(bytes(memory(space), 0x10004, length)).isEqualTo(expected);
        assertThat(bytes(memory(space), 0x10000, 4)).containsOnly(0);
        assertThat(bytes(memory(space), 0x10004L + length, 4)).containsOnly(0);
    }

    @Test
    void nothingMovesForALengthOfZeroWhereverThatWouldBe() {
        try (var hits = gpu.execution.arm("gpu.copy.before-copy", () -> {})) {
            gpu.start().run(copy(VRAM, VRAM_BYTES, BUS, -1, 0), fill(BUS, 0, 0, 1));
            assertThat(hits.hits()).isZero();
        }
    }

    @ParameterizedTest(name = "in {0}")
    @ValueSource(ints = {VRAM, BUS})
    void aFenceWritesEightBytesAndIsSilent(int space) {
        gpu.start().run(fence(space, 0x2008, 0x8877_6655_4433_2211L));
        assertThat(bytes(memory(space), 0x2000, 24))
                .containsExactly(
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0x11,
                        0x22,
                        0x33,
                        0x44,
                        0x55,
                        0x66,
                        0x77,
                        0x88 - 256,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0);
        assertThat(gpu.slot.interrupts).isEmpty();
        assertThat(gpu.events(GpuFenceWritten.class))
                .containsExactly(
                        new GpuFenceWritten("gpu0", space == VRAM, 0x2008, 0x8877_6655_4433_2211L));
    }

    @Test
    void aFenceMayInterruptOnceItsValueIsThere() {
        try (TestGpu.Stop stop = gpu.stopAt("gpu.interrupt.before-message")) {
            gpu.start().put(header(FENCE, BUS << 2 | INTERRUPT, 3, 7, 0), 0x2000, 5).ringUp();
            stop.awaitReached();
            assertThat(gpu.slot.word(0x2000)).isEqualTo(5);
            assertThat(gpu.slot.interrupts).isEmpty();
        }
        Await.until("the interrupt", () -> gpu.slot.interrupts.equals(List.of(7)));
        assertThat(gpu.get(INTERRUPT_STATUS)).isZero();
    }

    @Test
    void aTrapInterruptsAndLeavesItsValue() {
        gpu.start().run(new long[] {header(TRAP, 0, 1, 3, 0xCAFE_F00D)});
        assertThat(gpu.slot.interrupts).containsExactly(3);
        assertThat(gpu.get(TRAP_VALUE)).isEqualTo(0xCAFE_F00DL);
        assertThat(gpu.get(INTERRUPT_STATUS)).isEqualTo(4);
        gpu.set(INTERRUPT_STATUS, 4);
        assertThat(gpu.get(INTERRUPT_STATUS)).isZero();
    }

    @Test
    void aNopIsSkippedWhateverItHolds() {
        gpu.start().run(new long[] {header(NOP, 0, 3), -1, -1}, fence(BUS, 0x2000, 1));
        assertThat(gpu.slot.word(0x2000)).isEqualTo(1);
    }

    static Object[][] bad() {
        long[] okCopy = copy(VRAM, 0, BUS, 0x2000, 8);
        return new Object[][] {
            {"all zeros", new long[] {0}, BAD_LENGTH, 0},
            {"all ones", new long[] {-1}, BAD_OPCODE, 0},
            {"opcode 5", new long[] {header(5, 0, 1)}, BAD_OPCODE, 0},
            {"COPY of 3 words", with(okCopy, header(COPY, BUS << 2, 3)), BAD_LENGTH, 0},
            {"COPY of 5 words", with(okCopy, header(COPY, BUS << 2, 5)), BAD_LENGTH, 0},
            {"FILL of 4 words", new long[] {header(FILL, 0, 4), 0, 0, 0}, BAD_LENGTH, 0},
            {"FENCE of 2 words", new long[] {header(FENCE, 0, 2), 0}, BAD_LENGTH, 0},
            {"TRAP of 2 words", new long[] {header(TRAP, 0, 2), 0}, BAD_LENGTH, 0},
            {"COPY from space 3", with(okCopy, header(COPY, 3, 4)), RESERVED, 0},
            {"COPY to space 3", with(okCopy, header(COPY, 3 << 2, 4)), RESERVED, 0},
            {"FILL of space 3", new long[] {header(FILL, 3 << 2, 3), 0, 4}, RESERVED, 0},
            {"FENCE in space 3", new long[] {header(FENCE, 3 << 2, 3), 0, 4}, RESERVED, 0},
            {"COPY with INTERRUPT", with(okCopy, header(COPY, INTERRUPT, 4)), RESERVED, 0},
            {"COPY with a vector", with(okCopy, header(COPY, 0, 4, 1, 0)), RESERVED, 0},
            {"COPY with an argument", with(okCopy, header(COPY, 0, 4, 0, 1)), RESERVED, 0},
            {"FILL with a source", new long[] {header(FILL, 1, 3), 0, 4}, RESERVED, 0},
            {"FENCE with a source", new long[] {header(FENCE, 1, 3), 0, 4}, RESERVED, 0},
            {"FENCE with an argument", new long[] {header(FENCE, 0, 3, 0, 1), 0, 4}, RESERVED, 0},
            {"silent FENCE, vector", new long[] {header(FENCE, 0, 3, 1, 0), 0, 4}, RESERVED, 0},
            {"TRAP with flags", new long[] {header(TRAP, 1, 1)}, RESERVED, 0},
            {"NOP with flags", new long[] {header(NOP, 0x80, 1)}, RESERVED, 0},
            {"TRAP of vector 8", new long[] {header(TRAP, 0, 1, 8, 0)}, VECTOR, 8},
            {
                "FENCE of vector 255",
                new long[] {header(FENCE, INTERRUPT, 3, 255, 0), 0, 4},
                VECTOR,
                255
            },
            {"FENCE at 4", fence(VRAM, 4, 1), ALIGNMENT, 4},
            {"FILL at 2", fill(VRAM, 2, 4, 1), ALIGNMENT, 2},
            {"FILL of 6 bytes", fill(VRAM, 8, 6, 1), ALIGNMENT, 8},
        };
    }

    private static long[] with(long[] packet, long header) {
        long[] changed = packet.clone();
        changed[0] = header;
        return changed;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bad")
    void aBadPacketStopsTheRingAndIsNamed(String name, long[] packet, int code, long address) {
        gpu.set(INTERRUPT_ENABLE, 1);
        gpu.start();
        gpu.fail(fence(BUS, 0x3000, 1), packet);
        assertThat(gpu.errorCode()).isEqualTo(code);
        assertThat(gpu.errorOpcode()).isEqualTo((int) packet[0] & 0xFF);
        assertThat(gpu.errorDetail()).isZero();
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(address);
        assertThat(gpu.get(INTERRUPT_STATUS)).isEqualTo(1);
        assertThat(gpu.slot.interrupts).containsExactly(0);
        assertThat(gpu.slot.word(0x3000)).as("the packet before").isEqualTo(1);
        assertThat(gpu.gpu.halts()).isEqualTo(1);
    }

    @ParameterizedTest(name = "space {0}, {1}, {2} bytes")
    @CsvSource({
        "0, 0x100000, 4",
        "0, 0xffffc, 8",
        "0, -4, 4",
        "0, 0, 0x100004",
        "0, 8, 0x7ffffffffffffffc",
        "0, 0, -4",
        "0, -0x8000000000000000, 4",
        "1, -4, 8",
        "1, 0x1000, -4",
        "1, -0x1000, 0x1004",
        "1, 0, -0x8000000000000000",
        "2, 0x8000000000, 4",
        "2, 0x7ffffffffc, 8",
        "2, -4, 4",
        "2, 0, -4",
        "2, 4, 0x7ffffffffffffffc",
        "2, 0x10, 0x8000000000",
    })
    void refusesARangeThatLeavesItsSpace(int space, String at, String length) {
        long address = Long.decode(at);
        long bytes = Long.decode(length);
        gpu.start();
        gpu.fail(copy(space, address, BUS, 0x2000, bytes));
        expectRange(address);
        gpu.start();
        gpu.fail(copy(VRAM, 0, space, address, bytes).clone());
        long both = bytes > VRAM_BYTES || bytes < 0 ? 0 : address; // the source is looked at first
        expectRange(both);
        gpu.start();
        gpu.fail(fill(space, address, bytes, 1));
        expectRange(address);
        assertThat(bytes(gpu.vram, 0, 16)).containsOnly(0);
        assertThat(bytes(gpu.slot.ram, 0x2000, 16)).containsOnly(0);
    }

    private void expectRange(long address) {
        assertThat(gpu.errorCode()).isEqualTo(RANGE);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(address);
    }

    @ParameterizedTest(name = "space {0}, {1}")
    @CsvSource({"0, 0x100000", "0, -8", "0, -0x8000000000000000", "2, 0x8000000000", "2, -8"})
    void refusesAFenceOutsideItsSpace(int space, String at) {
        gpu.start();
        gpu.fail(fence(space, Long.decode(at), 1));
        expectRange(Long.decode(at));
    }

    @Test
    void theLastBytesOfEachSpaceCanBeReached() {
        gpu.start().run(fence(VRAM, VRAM_BYTES - 8, 5), copy(VRAM, VRAM_BYTES - 8, VRAM, 0, 8));
        assertThat(gpu.vramWord(0)).isEqualTo(5);
        gpu.run(fence(BUS, -8, 1)); // posted: nobody is there, and nobody learns of it
        gpu.fail(copy(VIRTUAL, (1L << 39) - 8, VRAM, 0, 8));
        assertThat(gpu.errorCode()).as("a fault of the MMU, no range").isEqualTo(8);
    }

    @Test
    void saysHowFarARefusedReadOnTheBusWas() {
        gpu.start();
        gpu.fail(copy(BUS, RAM_BYTES - 0x10000, VRAM, 0, 0x10004));
        assertThat(gpu.errorCode()).isEqualTo(BUS_ERROR);
        assertThat(gpu.errorDetail()).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(RAM_BYTES);
        assertThat(gpu.events(GpuHalted.class))
                .containsExactly(
                        new GpuHalted("gpu0", 0, 1, "BUS", "unsupported request", RAM_BYTES));
    }

    @ParameterizedTest(name = "opcode {0}")
    @ValueSource(ints = {COPY, FILL, FENCE})
    void saysWhatTheBusAnsweredToAWrite(int opcode) {
        String checkpoint =
                switch (opcode) {
                    case COPY -> "gpu.copy.before-copy";
                    case FILL -> "gpu.fill.before-copy";
                    default -> "gpu.fence.before-write";
                };
        long[] packet =
                switch (opcode) {
                    case COPY -> copy(VRAM, 0, BUS, 0x2000, 8);
                    case FILL -> fill(BUS, 0x2000, 8, 1);
                    default -> fence(BUS, 0x2000, 1);
                };
        try (TestGpu.Stop stop = gpu.stopAt(checkpoint)) {
            gpu.start().put(packet).ringUp();
            stop.awaitReached();
            gpu.slot.status = DmaResult.BUS_MASTER_OFF;
        }
        gpu.awaitHalt();
        assertThat(gpu.errorCode()).isEqualTo(BUS_ERROR);
        assertThat(gpu.errorOpcode()).isEqualTo(opcode);
        assertThat(gpu.errorDetail()).isEqualTo(DmaResult.BUS_MASTER_OFF);
        assertThat(gpu.getWide(TestGpu.ERROR_ADDRESS)).isEqualTo(0x2000);
    }

    @Test
    void isSilentAboutErrorsUnlessToldOtherwiseAndGoesOnAfterwards() {
        gpu.start();
        gpu.fail(new long[] {0});
        assertThat(gpu.slot.interrupts).isEmpty();
        gpu.start().run(fence(BUS, 0x2000, 1));
        assertThat(gpu.slot.word(0x2000)).isEqualTo(1);
        assertThat(gpu.get(INTERRUPT_STATUS)).as("until cleared").isEqualTo(1);
    }

    @Test
    void aCopyFromTheBusToTheBusDoesNotTouchTheVram() {
        byte[] data = pattern(70_000);
        bytes(gpu.slot.ram, 0x10000, data);
        gpu.start().run(copy(BUS, 0x10000, BUS, 0x80000, data.length));
        byte[] all = bytes(gpu.vram, 0, VRAM_BYTES);
        assertThat(Arrays.equals(all, new byte[VRAM_BYTES])).isTrue();
    }
}
