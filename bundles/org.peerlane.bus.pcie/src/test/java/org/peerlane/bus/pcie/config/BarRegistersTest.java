package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("BAR registers")
class BarRegistersTest {
    private static final int IO = 1;
    private static final int MEMORY = 2;

    private final FunctionConfig function = Samples.endpoint();

    private long base(int index) {
        long[] bases = new long[BarRegisters.ROM + 1];
        function.bases(bases);
        return bases[index];
    }

    private void decode(int bits) {
        function.write(4, 2, bits);
    }

    @Rule("PC-12")
    @Rule("PC-14")
    @ParameterizedTest(name = "the register at {0} sizes as {2}")
    @CsvSource({
        "0x10, 0x00000004, 0xFFFFC004", // 16 KiB, 64-bit (EX-2)
        "0x14, 0x00000000, 0xFFFFFFFF",
        "0x18, 0x0000000C, 0xF000000C", // 256 MiB, 64-bit prefetchable (EX-2)
        "0x1C, 0x00000000, 0xFFFFFFFF",
        "0x20, 0x00000001, 0xFFFFFFC1", // 64 bytes of I/O
        "0x24, 0x00000000, 0xFFFFF000",
        "0x30, 0x00000000, 0xFFFF0001", // ROM
    })
    void sizingAnswersTypeAndSize(String at, String before, String sized) {
        int offset = Integer.decode(at);
        assertThat(function.read(offset, 4)).isEqualTo(Long.decode(before));
        function.write(offset, 4, 0xFFFF_FFFFL);
        assertThat(function.read(offset, 4)).isEqualTo(Long.decode(sized));
        function.write(offset, 4, 0);
        assertThat(function.read(offset, 4)).isEqualTo(Long.decode(before));
    }

    @Rule("PC-14")
    @Test
    void aBarThatIsNotThereReadsZero() {
        FunctionConfig plain = Samples.plain();
        for (int at = 0x14; at < 0x28; at += 4) {
            plain.write(at, 4, -1);
            assertThat(plain.read(at, 4)).isZero();
        }
        plain.write(0x30, 4, -1);
        assertThat(plain.read(0x30, 4)).isZero();
    }

    @Rule("PC-15")
    @Test
    void aHalfWritten64BitBarDoesNotDecode() {
        function.write(0x10, 4, 0xE000_0000L);
        function.write(0x14, 4, 1);
        decode(MEMORY);
        assertThat(base(0)).isEqualTo(0x1_E000_0000L);
        function.write(0x14, 4, 2);
        assertThat(base(0)).as("half of it").isZero();
        function.write(0x10, 4, 0xD000_0000L);
        assertThat(base(0)).isEqualTo(0x2_D000_0000L);
        function.write(0x10, 4, 0xC000_0000L);
        decode(0);
        decode(MEMORY);
        assertThat(base(0)).as("written while decode was off").isEqualTo(0x2_C000_0000L);
    }

    @Rule("PC-16")
    @Test
    void sizingWithDecodeOffMovesNothing() {
        function.write(0x24, 4, 0xFEB0_0000L);
        decode(MEMORY);
        decode(0);
        function.write(0x24, 4, 0xFFFF_FFFFL);
        assertThat(base(5)).isZero();
        function.write(0x24, 4, 0xFEB0_0000L);
        decode(MEMORY);
        assertThat(base(5)).isEqualTo(0xFEB0_0000L);
    }

    @Rule("PC-17")
    @ParameterizedTest(name = "a 32-bit BAR at 0x{0} decodes: {1}")
    @CsvSource({"FEB00000, true", "0, false", "FFFFF000, false", "FFFFE000, true", "1000, true"})
    void decodeNeedsAnAddressThatIsNotZeroAndNotTheTop(String address, boolean decodes) {
        function.write(0x24, 4, Long.parseLong(address, 16));
        decode(MEMORY);
        assertThat(base(5)).isEqualTo(decodes ? Long.parseLong(address, 16) : 0);
        decode(0);
        assertThat(base(5)).isZero();
    }

    @Rule("PC-17")
    @Test
    void a64BitBarOfOnesIsNoAddress() {
        function.write(0x18, 4, -1);
        function.write(0x1C, 4, -1);
        decode(MEMORY);
        assertThat(base(2)).isZero();
        decode(0);
        function.write(0x18, 4, 0);
        decode(MEMORY);
        assertThat(base(2)).isEqualTo(0xFFFF_FFFF_0000_0000L);
    }

    @Rule("PC-17")
    @Rule("PC-25")
    @Test
    void nothingDecodesOutsideD0() {
        function.write(0x24, 4, 0xFEB0_0000L);
        decode(MEMORY);
        PowerManagement power = Objects.requireNonNull(function.power());
        int effects = function.write(power.at() + 4, 2, PowerManagement.D3HOT);
        assertThat(effects & Effect.DECODE).isNotZero();
        assertThat(base(5)).isZero();
        assertThat(function.mayMaster()).isFalse();
    }

    @Rule("PC-17")
    @Test
    void ioDecodesByItsOwnEnable() {
        function.write(0x20, 4, 0xC040);
        decode(MEMORY);
        assertThat(base(4)).isZero();
        decode(IO);
        assertThat(base(4)).isEqualTo(0xC040);
        assertThat(base(5)).isZero();
    }

    @Rule("PC-18")
    @Test
    void theRomDecodesWithItsEnableAndMemoryDecode() {
        function.write(0x30, 4, 0xFEA0_0000L);
        decode(MEMORY);
        assertThat(base(BarRegisters.ROM)).as("not enabled").isZero();
        function.write(0x30, 4, 0xFEA0_0001L);
        assertThat(base(BarRegisters.ROM)).isEqualTo(0xFEA0_0000L);
        decode(0);
        assertThat(base(BarRegisters.ROM)).isZero();
        function.write(0x30, 4, 0xFFFF_F800L);
        assertThat(function.read(0x30, 4)).as("as QEMU sizes it").isEqualTo(0xFFFF_0000L);
    }

    private int resizable() {
        return function.capabilities().stream()
                .filter(ResizableBars.class::isInstance)
                .findFirst()
                .orElseThrow()
                .at();
    }

    @Rule("PC-37")
    @Test
    void theOfferedSizesAndTheOneNowAreToBeRead() {
        assertThat(function.read(resizable() + 4, 4)).isEqualTo(0x0002_7000L); // bits 12-14, 17
        assertThat(function.read(resizable() + 8, 4)).isEqualTo(8 << 8 | 1 << 5 | 2);
    }

    @Rule("PC-37")
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void anOfferedSizeIsTakenAndMakesAddressBitsHardZero(int bytes) {
        function.write(0x18, 4, 0xF000_0000L);
        function.write(0x1C, 4, 0xF);
        int control = resizable() + 8;
        int effects =
                bytes == 1
                        ? function.write(control + 1, 1, 13)
                        : function.write(control, 4, 13 << 8);
        assertThat(effects).isEqualTo(Effect.DECODE);
        assertThat(function.bars().bytes(2)).isEqualTo(8192 * Samples.MIB);
        assertThat(function.read(0x18, 4)).isEqualTo(0xC);
        assertThat(function.read(0x1C, 4)).isEqualTo(0xE);
        function.write(0x18, 4, -1);
        function.write(0x1C, 4, -1);
        assertThat(function.read(0x18, 4)).isEqualTo(0xC);
        assertThat(function.read(0x1C, 4)).isEqualTo(0xFFFF_FFFEL);
        function.reset(ResetKind.FLR);
        assertThat(function.bars().bytes(2)).isEqualTo(256 * Samples.MIB);
        function.write(0x18, 4, -1);
        assertThat(function.read(0x18, 4)).isEqualTo(0xF000_000CL);
    }

    @Rule("PC-37")
    @Test
    void anotherSizeOrOneWithDecodeOnIsRefused() {
        int control = resizable() + 8;
        assertThat(function.write(control, 4, 11 << 8)).isZero();
        assertThat(function.write(control, 4, 63 << 8)).isZero();
        decode(MEMORY);
        assertThat(function.write(control, 4, 9 << 8)).isZero();
        assertThat(function.read(control + 1, 1)).isEqualTo(8);
        assertThat(function.bars().bytes(2)).isEqualTo(256 * Samples.MIB);
    }
}
