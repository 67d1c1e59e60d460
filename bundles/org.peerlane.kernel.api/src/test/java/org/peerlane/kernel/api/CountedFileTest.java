package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A file that counts its holders")
class CountedFileTest {
    private int releases;

    private final OpenFile file =
            new CountedFile("file") {
                @Override
                public String fileType() {
                    return "test";
                }

                @Override
                protected void released() {
                    releases++;
                }
            };

    @Test
    void isReleasedOnceByTheLastOfThem() {
        assertThat(file.references()).isEqualTo(1);
        file.get();
        assertThat(file.getUnlessZero()).isTrue();
        file.put();
        file.put();
        assertThat(releases).isZero();
        file.put();
        assertThat(releases).isEqualTo(1);
        assertThat(file.references()).isZero();
        assertThat(file.getUnlessZero()).isFalse();
    }

    @Test
    void saysWhatItIsIfAHolderLetsGoTwice() {
        file.put();
        assertThatThrownBy(file::put).hasMessageContaining("file");
        assertThat(releases).isEqualTo(1);
    }
}
