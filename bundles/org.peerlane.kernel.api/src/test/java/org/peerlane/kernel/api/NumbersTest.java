package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A number in a command")
class NumbersTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "010, 10",
        "4096, 4096",
        "0x1000, 4096",
        "0xfF, 255",
        "0xffffffffffffffff, -1",
        "18446744073709551615, -1"
    })
    void isDecimalOrHex(String text, long number) {
        assertThat(Numbers.parse("mask", text, -1)).isEqualTo(number);
    }

    @ParameterizedTest
    @CsvSource({"6", "0x6", "-1", "five", "''", "0x", "0x-1", "' 1'", "99999999999999999999"})
    void isRefusedInOneSentenceThatNamesTheLimit(String text) {
        assertThatThrownBy(() -> Numbers.parse("BAR", text, 5))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("EINVAL: BAR '%s'; expected a number from 0 to 0x5", text);
    }
}
