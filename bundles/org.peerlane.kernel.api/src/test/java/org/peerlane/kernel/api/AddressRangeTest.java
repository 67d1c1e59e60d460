package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Address range")
class AddressRangeTest {
    private static AddressRange<Iova> range(long first, long last) {
        return new AddressRange<>(new Iova(first), new Iova(last));
    }

    @Test
    void endsAtTheLastAddressThereIs() {
        AddressRange<Iova> top = AddressRange.ofLength(new Iova(-4096), 4096);
        assertThat(top.last().value()).isEqualTo(-1);
        assertThat(top.bytes()).isEqualTo(4096);
    }

    @Test
    void onePastTheLastAddressIsEoverflow() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> AddressRange.ofLength(new Iova(-4096), 4097))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOVERFLOW))
                .withMessageContaining("0xfffffffffffff000");
    }

    @Test
    void noBytesIsEinval() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> AddressRange.ofLength(new BusAddress(8), 0))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }

    @Test
    void addressesCompareUnsigned() {
        assertThat(new PhysicalAddress(-1)).isGreaterThan(new PhysicalAddress(1));
        assertThatExceptionOfType(ErrnoException.class).isThrownBy(() -> range(-1, 1));
    }

    @Test
    void theWholeSpaceHasTwoToThe64Bytes() {
        assertThat(range(0, -1).bytes()).isZero();
        assertThat(range(0, -1).contains(range(5, -7))).isTrue();
    }

    @ParameterizedTest(name = "{0}-{1} and {2}-{3} overlap: {4}")
    @CsvSource({
        "0, 9, 9, 20, true",
        "0, 9, 10, 20, false",
        "10, 20, 0, 9, false",
        "10, 20, 0, 10, true",
        "-8, -1, 0, 7, false",
        "0, -1, -8, -1, true",
    })
    void overlapCountsBothEnds(long a, long b, long c, long d, boolean overlap) {
        assertThat(range(a, b).overlaps(range(c, d))).isEqualTo(overlap);
        assertThat(range(c, d).overlaps(range(a, b))).isEqualTo(overlap);
        assertThat(range(a, b).intersection(range(c, d)).isPresent()).isEqualTo(overlap);
    }

    @Test
    void intersectionIsWhatBothHave() {
        assertThat(range(0, 9).intersection(range(4, 20))).contains(range(4, 9));
        assertThat(range(-16, -1).intersection(range(0, -9))).contains(range(-16, -9));
    }
}
