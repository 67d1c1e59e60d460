package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("Config space, bit by bit")
class ConfigSpaceTest {
    private final ConfigSpace config = new ConfigSpace();

    @Rule("PC-6")
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void everyWriteFollowsTheFormula(int bytes) {
        Random random = new Random(6);
        for (int at = 0; at < ConfigSpace.BYTES; at += 4) {
            long clear = random.nextInt() & ConfigSpace.ones(4);
            config.define(at, 4, random.nextInt(), random.nextInt() & ~clear, clear);
        }
        for (int round = 0; round < 5; round++) {
            for (int at = 0; at < ConfigSpace.BYTES; at += bytes) {
                long v = config.get(at, bytes);
                long x = random.nextLong();
                long left = config.get(Math.max(at - 1, 0), 1);
                config.write(at, bytes, x);
                long wm = config.writable(at, bytes);
                long w1c = config.clearable(at, bytes);
                assertThat(config.get(at, bytes))
                        .isEqualTo(((v & ~wm) | (x & wm)) & ~(x & w1c) & ConfigSpace.ones(bytes));
                if (at > 0) {
                    assertThat(config.get(at - 1, 1)).as("the neighbour").isEqualTo(left);
                }
            }
        }
    }

    @Rule("PC-6")
    @Test
    void aBitIsNotBothWritableAndClearedByOneAndNoByteIsDefinedTwice() {
        assertThatIllegalArgumentException().isThrownBy(() -> config.define(0, 1, 0, 3, 2));
        config.define(0x10, 4, 0);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> config.define(0x13, 1, 0))
                .withMessageContaining("0x13");
        assertThatIllegalArgumentException().isThrownBy(() -> config.define(4094, 4, 0));
    }

    @Rule("PC-3")
    @ParameterizedTest
    @CsvSource({"3, 2", "1, 4", "2, 4", "0, 8", "0, 3", "0, 0", "-1, 1", "4096, 1", "4094, 4"})
    void anAccessThatIsNotInsideOneDwordReadsOnesAndWritesNothing(int offset, int bytes) {
        FunctionConfig function = Samples.endpoint();
        assertThat(function.read(offset, bytes)).isEqualTo(ConfigSpace.ones(bytes));
        long[] before = dump(function);
        assertThat(function.write(offset, bytes, -1)).isZero();
        assertThat(dump(function)).isEqualTo(before);
    }

    private static long[] dump(FunctionConfig function) {
        long[] all = new long[ConfigSpace.BYTES / 4];
        for (int i = 0; i < all.length; i++) {
            all[i] = function.read(i * 4, 4);
        }
        return all;
    }

    @Rule("PC-64")
    @ParameterizedTest
    @CsvSource({"COLD, 0", "HOT, 1", "FLR, 3", "POWER, 2"})
    void eachResetKeepsItsOwn(ResetKind kind, long kept) {
        config.define(0, 1, 0, 0xFF, 0);
        config.define(4, AerRegister.UNCORRECTABLE_MASK); // sticky, from 0x0C on
        config.keepWithLink(0, 1, 2);
        config.write(0, 1, 0xFF);
        config.set(0x0C, 4, 1 << 20);
        config.reset(kind);
        assertThat(config.get(0, 1)).as("the link's bit").isEqualTo(kept & 2);
        assertThat(config.get(0x0C, 4) == 1 << 20).as("sticky").isEqualTo((kept & 1) != 0);
    }

    @Test
    void accessesAcrossDwordsJoinTheirParts() {
        config.define(0x20, 8, 0x1122_3344_5566_7788L);
        assertThat(config.get(0x20, 8)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(config.get(0x23, 2)).isEqualTo(0x4455);
        config.set(0x23, 2, 0xABCD);
        assertThat(config.get(0x20, 8)).isEqualTo(0x1122_33AB_CD66_7788L);
    }
}
