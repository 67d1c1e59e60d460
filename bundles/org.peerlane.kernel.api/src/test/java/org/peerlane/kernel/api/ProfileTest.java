package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.kernel.api.Profile.Base;
import org.peerlane.kernel.api.Profile.Series;

@DisplayName("Profile")
class ProfileTest {
    @ParameterizedTest
    @ValueSource(strings = {"6.14", "7.3", "7.3+rw-v7", "7.1+rw-v3+revoke-v3+maptypes"})
    void writesWhatItReads(String text) {
        assertThat(Profile.parse(text)).hasToString(text);
    }

    @Test
    void theDefaultIsTheNewestBaseWithCurrentReadsAndWrites() {
        assertThat(Profile.DEFAULT).hasToString("7.3+rw-v7");
        assertThat(Profile.parse("7.3").has(Series.RW_V7)).isFalse();
    }

    @Test
    void aBaseIsAtLeastItselfAndItsAncestors() {
        Profile profile = Profile.parse("7.0");
        assertThat(profile.atLeast(Base.V6_19)).isTrue();
        assertThat(profile.atLeast(Base.V7_0)).isTrue();
        assertThat(profile.atLeast(Base.V7_1)).isFalse();
    }

    @ParameterizedTest(name = "{0}: the sentence names {1}")
    @CsvSource({
        "5.10, '5.10' is not a base kernel",
        "7.3+rw-v9, 'rw-v9' is not a series",
        "7.3+, '' is not a series",
        "'', '' is not a base kernel",
        "7.3+rw-v3+rw-v7, both rw-v3 and rw-v7",
    })
    void aMistakeIsNamed(String text, String sentence) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> Profile.parse(text))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .withMessageContaining(sentence.replace("''", "'"));
    }
}
