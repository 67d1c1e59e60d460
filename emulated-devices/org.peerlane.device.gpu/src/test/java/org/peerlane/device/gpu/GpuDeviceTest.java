package org.peerlane.device.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.registers.RegisterFile;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.WatchedExecution;

@DisplayName("A GPU from outside")
class GpuDeviceTest {
    private static final long MIB = 1 << 20;

    private static String golden() throws IOException {
        try (InputStream golden = GpuDeviceTest.class.getResourceAsStream("registers.txt")) {
            return new String(
                    Objects.requireNonNull(golden).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void hasTheRegistersOfItsSpecification() throws IOException {
        assertThat(new RegisterFile<>(GpuRegister.class, GpuRegister.WINDOW_BYTES))
                .hasToString(golden());
    }

    @Test
    void itsManualShowsTheseRegisters() throws IOException {
        Path manual = Path.of("..", "..", "docs", "gpu.md");
        assertThat(Files.readString(manual)).contains(golden());
    }

    @Test
    void isAControllerWithRegistersVideoMemoryAndEightVectors() {
        try (TestGpu gpu = new TestGpu(Map.of())) {
            FunctionLayout layout = gpu.gpu.layout();
            assertThat(layout.classCode()).as("3D controller").isEqualTo(0x030200);
            BarLayout registers = layout.bar(0).orElseThrow();
            assertThat(registers.memory()).isNull();
            assertThat(registers.prefetchable()).isFalse();
            BarLayout video = layout.bar(2).orElseThrow();
            assertThat(video.wide()).isTrue();
            assertThat(video.prefetchable()).isTrue();
            assertThat(video.bytes()).as("64 MiB unless told otherwise").isEqualTo(64 * MIB);
            CapabilityLayout.MsiX msiX =
                    layout.capability(CapabilityLayout.MsiX.class).orElseThrow();
            assertThat(msiX.vectors()).isEqualTo(8);
            assertThat(msiX.tableOffset()).as("no page shared with registers").isEqualTo(0x2000);
            assertThat(layout.capability(CapabilityLayout.Express.class).orElseThrow().flr())
                    .isTrue();
            assertThat(gpu.get(TestGpu.ID)).isEqualTo(0x4750_0100);
            assertThat(gpu.getWide(0x008)).isEqualTo(64 * MIB);
        }
    }

    @ParameterizedTest(name = "{0} MiB, {1} seen, resizable {2}: BAR of {3} MiB, sizes {4} MiB")
    @CsvSource({
        "8, 0, true, 8, 0xF",
        "8, 2, true, 2, 0xF",
        "1, 1, true, 1, 0x1",
        "8, 0, false, 8, 0",
        "8, 2, false, 2, 0",
    })
    void aBoardChoosesHowMuchIsThereAndHowMuchOfItIsSeen(
            int vram, int visible, boolean resizable, long bar, String sizes) {
        Map<String, Object> options =
                Map.of("vramMiB", vram, "visibleMiB", visible, "resizableBar", resizable);
        try (TestGpu gpu = new TestGpu(options)) {
            FunctionLayout layout = gpu.gpu.layout();
            assertThat(layout.bar(2).orElseThrow().bytes()).isEqualTo(bar * MIB);
            assertThat(gpu.vram.byteSize()).isEqualTo((resizable ? vram : bar) * MIB);
            long offered =
                    layout.capability(CapabilityLayout.ResizableBar.class)
                            .map(CapabilityLayout.ResizableBar::sizes)
                            .orElse(0L);
            assertThat(offered).isEqualTo(Long.decode(sizes) * MIB);
            assertThat(gpu.getWide(0x008)).as("all of it").isEqualTo(vram * MIB);
        }
    }

    static Object[][] badOptions() {
        return new Object[][] {
            {Map.of("vramMiB", 3), "vramMiB is 3; expected a power of two from 1 to 4096"},
            {Map.of("vramMiB", 0), "vramMiB is 0; expected a power of two from 1 to 4096"},
            {Map.of("vramMiB", -4), "vramMiB is -4; expected a power of two from 1 to 4096"},
            {Map.of("vramMiB", 8192), "vramMiB is 8192; expected a power of two from 1 to 4096"},
            {Map.of("vramMiB", "big"), "vramMiB is big; expected a power of two from 1 to 4096"},
            {Map.of("visibleMiB", 6), "visibleMiB is 6; expected a power of two from 1 to 4096"},
            {
                Map.of("vramMiB", 8, "visibleMiB", 16),
                "visibleMiB is 16; vramMiB is 8, and no more can be seen"
            },
            {Map.of("resizableBar", "maybe"), "resizableBar is maybe; expected true or false"},
        };
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badOptions")
    void isNotMadeAsNoCardIs(Map<String, Object> options, String sentence) {
        WatchedExecution execution = new WatchedExecution(new LiveExecution("test"));
        TestSlot slot = new TestSlot(execution, 4096, options);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> new GpuDeviceType().create(slot))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining(sentence);
        assertThat(execution.alive()).isEmpty();
    }

    @ParameterizedTest(name = "{1} bytes at {0}: {2}")
    @CsvSource({
        "0x010, 1, false", "0x012, 2, false", "0x010, 4, true", "0x010, 8, false",
        "0x020, 4, true", "0x024, 4, true", "0x020, 8, true", "0x070, 8, false",
        "0x100, 4, true", "0x100, 8, true", "0x100, 2, false",
    })
    void takesFourBytesAndEightWhereARegisterOfEightStarts(String at, int bytes, boolean taken) {
        long offset = Long.decode(at);
        long allOnes = bytes == 8 ? -1 : (1L << 8 * bytes) - 1;
        try (TestGpu gpu = new TestGpu()) {
            assertThat(gpu.gpu.read(0, offset, bytes) != allOnes).isEqualTo(taken);
            assertThat(gpu.gpu.refusedAccesses()).isEqualTo(taken ? 0 : 1);
            if (!taken) {
                gpu.gpu.write(0, offset, bytes, -1);
                assertThat(gpu.get(TestGpu.CONTROL)).isZero();
                assertThat(gpu.events(GpuAccessRefused.class))
                        .containsExactly(
                                new GpuAccessRefused("gpu0", offset, bytes, false),
                                new GpuAccessRefused("gpu0", offset, bytes, true));
            }
        }
    }

    @Rule("PC-20")
    @ParameterizedTest(name = "0x{0}")
    @ValueSource(longs = {0x74, 0x64, 0x80, 0x1FFC})
    void readsZeroWhereNothingIs(long offset) {
        try (TestGpu gpu = new TestGpu()) {
            assertThat(gpu.get((int) offset)).isZero();
            gpu.set((int) offset, -1);
            assertThat(gpu.get((int) offset)).isZero();
            assertThat(gpu.gpu.refusedAccesses()).isEqualTo(1);
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(longs = {0x00, 0x04, 0x08, 0x14, 0x40, 0x44, 0x48, 0x68, 0x70, 0x78})
    void keepsWhatSoftwareCannotWrite(long offset) {
        try (TestGpu gpu = new TestGpu()) {
            long before = gpu.get((int) offset);
            gpu.set((int) offset, ~before);
            assertThat(gpu.get((int) offset)).isEqualTo(before);
        }
    }

    @Test
    void keepsTheRingRegistersWhileTheEngineUsesThem() {
        try (TestGpu gpu = new TestGpu()) {
            gpu.setWide(TestGpu.WRITE_BACK, 0x3001);
            gpu.start();
            gpu.setWide(TestGpu.RING_BASE, 0x8000);
            gpu.set(TestGpu.RING_SETUP, 0x100);
            gpu.set(TestGpu.RING_HEAD, 0x80);
            gpu.setWide(TestGpu.WRITE_BACK, 0);
            assertThat(gpu.getWide(TestGpu.RING_BASE)).isEqualTo(TestGpu.RING);
            assertThat(gpu.get(TestGpu.RING_SETUP)).isEqualTo(12);
            assertThat(gpu.get(TestGpu.RING_HEAD)).isZero();
            assertThat(gpu.getWide(TestGpu.WRITE_BACK)).isEqualTo(0x3001);
            assertThat(gpu.gpu.refusedAccesses()).isEqualTo(4);
        }
    }

    @Test
    void aRunningPacketStillUsesTheRingAfterRunIsCleared() {
        try (TestGpu gpu = new TestGpu();
                TestGpu.Stop stop = gpu.stopAt("gpu.fence.before-write")) {
            gpu.start().put(TestGpu.fence(TestGpu.BUS, 0x2000, 7)).ringUp();
            stop.awaitReached();
            gpu.set(TestGpu.CONTROL, 0);
            assertThat(gpu.get(TestGpu.STATUS)).isEqualTo(TestGpu.BUSY);
            gpu.set(TestGpu.RING_HEAD, 0x80);
            assertThat(gpu.get(TestGpu.RING_HEAD)).isZero();
            stop.letGo();
            gpu.idle();
            assertThat(gpu.slot.word(0x2000)).isEqualTo(7);
            assertThat(gpu.get(TestGpu.RING_HEAD)).as("it was finished").isEqualTo(24);
            gpu.set(TestGpu.RING_HEAD, 0x80);
            assertThat(gpu.get(TestGpu.RING_HEAD)).isEqualTo(0x80);
        }
    }
}
