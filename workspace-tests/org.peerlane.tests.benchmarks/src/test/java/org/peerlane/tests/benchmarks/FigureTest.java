package org.peerlane.tests.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Budget arithmetic")
class FigureTest {
    /** One budget a method; nothing here is run. */
    @SuppressWarnings("unused")
    private static final class Budgets {
        @Budget(name = "copy", against = "bare", atMostRatio = 1.25)
        void ratio() {}

        @Budget(name = "map", against = "pages", atLeastTimesFaster = 4.8)
        void faster() {}

        @Budget(name = "off", against = "bare", atMostExtraNanos = 1, maxBytesPerOp = 0)
        void extra() {}

        @Budget(name = "unmap", atMostNanos = 1000)
        void nanos() {}

        @Budget(name = "schedules", atLeastPerSecond = 10_000)
        void rate() {}

        @Budget(name = "ring", maxBytesPerOp = 96)
        void bytes() {}

        @Budget(name = "known")
        void information() {}

        @Budget(name = "known", against = "bare")
        void comparedForInformation() {}

        @Budget(name = "lonely", atMostRatio = 2)
        void nothingToCompareWith() {}
    }

    private static Budget budget(String method) {
        try {
            return Budgets.class.getDeclaredMethod(method).getAnnotation(Budget.class);
        } catch (NoSuchMethodException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Figure only(String method, Measured self, Measured other) {
        Budget budget = budget(method);
        List<Figure> figures = Figure.of(budget.name(), budget, self, other);
        assertThat(figures).hasSize(1);
        return figures.getFirst();
    }

    private static Measured nanos(double nanos) {
        return new Measured(nanos, 0);
    }

    @ParameterizedTest(name = "{0} ns against 100 ns: over {1}")
    @CsvSource({"80, false", "125, false", "125.1, true", "300, true"})
    void aRatioHoldsUpToItsLimit(double self, boolean over) {
        Figure figure = only("ratio", nanos(self), nanos(100));
        assertThat(figure.over()).isEqualTo(over);
        assertThat(figure.ratio()).isEqualTo(self / 100);
        assertThat(figure.value()).isEqualTo(self);
        assertThat(figure.budget()).isEqualTo("at most 1.25x");
        assertThat(figure.comparedWith()).isEqualTo("bare, 100 ns");
    }

    @ParameterizedTest(name = "480 ns against {0} ns: over {1}")
    @CsvSource({"2304, false", "2303, true", "9999, false", "100, true"})
    void fasterCountsHowOftenItFitsIntoTheOther(double other, boolean over) {
        Figure figure = only("faster", nanos(480), nanos(other));
        assertThat(figure.over()).isEqualTo(over);
        assertThat(figure.ratio()).isCloseTo(other / 480, within());
        assertThat(figure.budget()).isEqualTo("at least 4.8x faster");
    }

    @ParameterizedTest(name = "{0} ns against 3 ns: over {1}")
    @CsvSource({"2.5, false", "4, false", "4.1, true"})
    void anExtraIsTheDifferenceAndBytesAreARowOfTheirOwn(double self, boolean over) {
        List<Figure> figures = Figure.of("off", budget("extra"), nanos(self), nanos(3));
        assertThat(figures).extracting(Figure::name).containsExactly("off", "off.bytes");
        assertThat(figures).extracting(Figure::over).containsExactly(over, false);
        assertThat(figures.getFirst().value()).isCloseTo(self - 3, within());
        assertThat(figures.getFirst().unit()).isEqualTo("ns more");
    }

    @ParameterizedTest(name = "{0} B, the other {1} B: over {2}")
    @CsvSource({"0.001, 0, false", "24, 24, false", "24, 0, true", "0, 24, false"})
    void bytesCountWhatIsMoreThanTheOtherAllocates(double self, double other, boolean over) {
        Figure figure =
                Figure.of("off", budget("extra"), new Measured(3, self), new Measured(3, other))
                        .getLast();
        assertThat(figure.over()).isEqualTo(over);
        assertThat(figure.value()).isEqualTo(self - other);
        assertThat(figure.budget()).isEqualTo("at most 0 B more");
    }

    @ParameterizedTest(name = "{0} B of 96: over {1}")
    @CsvSource({"96.001, false", "97, true"})
    void bytesAloneAreHeldAgainstTheLimit(double self, boolean over) {
        Figure figure = only("bytes", new Measured(30, self), null);
        assertThat(figure.over()).isEqualTo(over);
        assertThat(figure.unit()).isEqualTo("B");
        assertThat(figure.comparedWith()).isEqualTo("-");
    }

    @ParameterizedTest(name = "{0} ns: over {1}")
    @CsvSource({"1000, false", "1001, true"})
    void aTimeHasALimitOfItsOwn(double self, boolean over) {
        Figure figure = only("nanos", nanos(self), null);
        assertThat(figure.over()).isEqualTo(over);
        assertThat(figure.ratio()).isEqualTo(self / 1000);
    }

    @ParameterizedTest(name = "{0} ns: {1} a second, over {2}")
    @CsvSource({"50000, 20000, false", "100000, 10000, false", "200000, 5000, true"})
    void aRateIsCountedFromTheTimeOfOne(double self, double rate, boolean over) {
        Figure figure = only("rate", nanos(self), null);
        assertThat(figure.value()).isEqualTo(rate);
        assertThat(figure.ratio()).isEqualTo(rate / 10_000);
        assertThat(figure.over()).isEqualTo(over);
        assertThat(figure.unit()).isEqualTo("/s");
    }

    @Test
    void withoutALimitAFigureIsForInformation() {
        Figure alone = only("information", nanos(7), null);
        assertThat(alone.cells()).containsExactly("known", "7", "ns", "-", "-", "none", "ok");
        Figure compared = only("comparedForInformation", nanos(7), nanos(2));
        assertThat(compared.cells())
                .containsExactly("known", "7", "ns", "bare, 2 ns", "3.5", "none", "ok");
    }

    @Test
    void aLimitThatComparesNeedsSomethingToCompareWith() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> only("nothingToCompareWith", nanos(1), null))
                .withMessageContaining("lonely");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "-1, 0", "NaN, 0", "1, -1", "1, NaN"})
    void whatIsNoMeasurementIsRefused(double nanos, double bytes) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Measured(nanos, bytes));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0.001, 0",
        "1, 1",
        "1.25, 1.25",
        "4.8, 4.8",
        "18.44, 18.4",
        "100, 100",
        "12345.6, 12346",
        "-0.25, -0.25",
        "10000, 10000"
    })
    void numbersHaveTheDigitsThatMeanSomething(double value, String text) {
        assertThat(Figure.number(value)).isEqualTo(text);
    }

    private static org.assertj.core.data.Offset<Double> within() {
        return org.assertj.core.data.Offset.offset(1e-9);
    }
}
