package org.peerlane.registers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.testkit.Rule;

@DisplayName("A register file")
class RegisterFileTest {
    private final RegisterFile<SampleRegister> file =
            new RegisterFile<>(SampleRegister.class, SampleRegister.WINDOW_BYTES);

    @ParameterizedTest(name = "{0} bytes at {1} write 0x{2}: {3} becomes 0x{4}, reads 0x{5}")
    @CsvSource({
        // width, offset, written, register, bits afterwards, the same access reads
        "4, 0x00, ffffffff, VERSION,  12345678, 12345678", // full
        "2, 0x00, 0000ffff, VERSION,  12345678, 00005678", // low
        "1, 0x01, 000000ff, VERSION,  12345678, 00000056", // middle
        "2, 0x02, 0000ffff, VERSION,  12345678, 00001234", // high
        "4, 0x04, a5a5a5a5, SCRATCH,  a5a5a5a5, a5a5a5a5",
        "2, 0x04, ffffa5a5, SCRATCH,  1111a5a5, 0000a5a5", // more bits than the width: dropped
        "1, 0x05, 000000a5, SCRATCH,  1111a511, 000000a5",
        "2, 0x06, 0000a5a5, SCRATCH,  a5a51111, 0000a5a5",
        "4, 0x08, 0000ff01, EVENTS,   ffff00fe, ffff00fe",
        "2, 0x08, 0000000f, EVENTS,   fffffff0, 0000fff0",
        "1, 0x09, 0000000f, EVENTS,   fffff0ff, 000000f0",
        "2, 0x0a, 00008000, EVENTS,   7fffffff, 00007fff",
        "4, 0x0c, 01020304, DOORBELL, 01020304, 00000000",
        "2, 0x0c, 00000304, DOORBELL, 00000304, 00000000",
        "1, 0x0d, 00000003, DOORBELL, 00000300, 00000000",
        "2, 0x0e, 00000102, DOORBELL, 01020000, 00000000",
        "4, 0x10, ffffffff, CONTROL,  008000ff, 008000ff", // types mixed in one register
        "1, 0x12, 00000000, CONTROL,  00800000, 00000080",
        "1, 0x13, 000000ff, CONTROL,  00800000, 00000000",
        "4, 0x14, ffffffff, RESERVED, 00000000, 00000000",
        "2, 0x16, 0000ffff, RESERVED, 00000000, 00000000",
        "8, 0x20, 00000000, TICKS,    8877665544332211, 8877665544332211",
        "4, 0x24, ffffffff, TICKS,    8877665544332211, 88776655",
        "2, 0x22, 0000ffff, TICKS,    8877665544332211, 4433",
        "8, 0x28, ffffffffffffffff, ADDRESS, fffffffffffff000, fffffffffffff000",
        "4, 0x28, ffffffff, ADDRESS,  00000000fffff000, fffff000",
        "4, 0x2c, 00000012, ADDRESS,  0000001200000000, 00000012",
        "1, 0x2f, 00000080, ADDRESS,  8000000000000000, 00000080",
    })
    void eachTypeTakesFullLowMiddleAndHighWrites(
            int width, String at, String written, SampleRegister hit, String bits, String read) {
        long offset = Long.decode(at);
        assertThat(file.write(offset, width, hex(written))).isEqualTo(hit);
        assertThat(file.get(hit)).isEqualTo(hex(bits));
        assertThat(file.read(offset, width)).isEqualTo(hex(read));
    }

    @Test
    void oneWriteOverTwoRegistersChangesBothAndAnswersTheLower() {
        assertThat(file.write(0x04, 8, 0x0000_00FF_AAAA_BBBBL)).isEqualTo(SampleRegister.SCRATCH);
        assertThat(file.at(0x08)).isEqualTo(SampleRegister.EVENTS);
        assertThat(file.get(SampleRegister.SCRATCH)).isEqualTo(0xAAAA_BBBBL);
        assertThat(file.get(SampleRegister.EVENTS)).isEqualTo(0xFFFF_FF00L);
        assertThat(file.read(0x04, 8)).isEqualTo(0xFFFF_FF00_AAAA_BBBBL);
    }

    @Test
    void nobodyAnswersInAHoleAndPastTheWindow() {
        assertThat(file.write(0x1C, 4, -1)).isNull();
        assertThat(file.read(0x1C, 4)).isZero();
        assertThat(file.write(0x30, 8, -1)).isNull();
        assertThat(file.read(0x30, 8)).isZero();
        assertThat(file.write(-4, 4, -1)).isNull();
        assertThat(file.read(Long.MIN_VALUE, 4)).isZero();
    }

    @Rule("PC-6")
    @Test
    void everyWriteFollowsTheFormulaByteByByte() {
        Random random = new Random(6);
        long wm = 0x0000_00FF;
        long w1c = 0x0000_FF00;
        for (int i = 0; i < 10_000; i++) {
            long before = random.nextLong() & 0x00FF_FFFFL;
            int width = 1 << random.nextInt(3);
            int at = random.nextInt(4 / width) * width;
            long x = random.nextLong();
            long lanes = (1L << width * 8) - 1 << at * 8;
            long shifted = x << at * 8 & lanes;
            file.set(SampleRegister.CONTROL, before);
            file.write(0x10 + at, width, x);
            assertThat(file.get(SampleRegister.CONTROL))
                    .isEqualTo((before & ~(wm & lanes) | shifted & wm) & ~(shifted & w1c));
        }
    }

    @Test
    void theDeviceSetsFieldsThatSoftwareCannot() {
        file.set(SampleRegister.CONTROL, SampleRegister.STATE, 0x42);
        file.set(SampleRegister.CONTROL, SampleRegister.EN, 1);
        assertThat(file.read(0x10, 4)).isEqualTo(0x0042_0001);
        assertThat(file.get(SampleRegister.CONTROL, SampleRegister.STATE)).isEqualTo(0x42);
        assertThat(file.get(SampleRegister.CONTROL, SampleRegister.MODE)).isZero();
    }

    @Test
    void theDeviceCannotSetWhatIsNotThere() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> file.set(SampleRegister.CONTROL, 1L << 24))
                .withMessageContaining("CONTROL");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> file.set(SampleRegister.CONTROL, SampleRegister.EN, 2))
                .withMessageContaining("EN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> file.set(SampleRegister.SCRATCH, 1L << 32));
    }

    @Test
    void resetForgetsEverything() {
        file.write(0x04, 4, 7);
        file.write(0x08, 4, -1);
        file.write(0x28, 8, -1);
        file.reset();
        for (SampleRegister register : SampleRegister.values()) {
            assertThat(file.get(register)).as(register.name()).isEqualTo(register.reset());
        }
    }

    @Test
    void anOddWidthIsAMistakeOfOurs() {
        assertThatIllegalArgumentException().isThrownBy(() -> file.read(0, 3));
        assertThatIllegalArgumentException().isThrownBy(() -> file.write(0, 16, 0));
    }

    @Test
    void itPrintsAsTheTableThatReviewersKnow() throws IOException {
        try (InputStream golden = getClass().getResourceAsStream("sample.txt")) {
            assertThat(file)
                    .hasToString(
                            new String(
                                    Objects.requireNonNull(golden).readAllBytes(),
                                    StandardCharsets.UTF_8));
        }
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, 16);
    }
}
