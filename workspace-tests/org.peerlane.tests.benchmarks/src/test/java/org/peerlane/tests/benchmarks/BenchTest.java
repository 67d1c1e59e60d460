package org.peerlane.tests.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Bench")
class BenchTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int bench(String... words) {
        return new Bench(stream(out), stream(err)).run(words);
    }

    private static PrintStream stream(ByteArrayOutputStream into) {
        return new PrintStream(into, true, StandardCharsets.UTF_8);
    }

    private String complaint() {
        assertThat(out.size()).as("bytes on the standard output").isZero();
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void anUnknownNameIsRefusedWithAllThatThereAre() {
        assertThat(bench("--quick", "trace.of_")).isEqualTo(2);
        assertThat(complaint())
                .startsWith("bench: no figure's name matches 'trace.of_'; there are: ")
                .contains("trace.off", "trace.ring")
                .containsOnlyOnce("\n");
    }

    @Test
    void anUnknownOptionASecondNameAndABadPatternAreRefused() {
        assertThat(bench("--csv")).isEqualTo(2);
        assertThat(bench("a", "b")).isEqualTo(2);
        assertThat(bench("(")).isEqualTo(2);
        assertThat(complaint().lines())
                .containsExactly(
                        "bench: there is no option '--csv'; known are --tsv and --quick",
                        "bench: two names, 'a' and 'b'; expected one pattern, such as 'a|b'",
                        "bench: '(' is not a regular expression: Unclosed group");
    }

    @Test
    void optionsAndNameComeInAnyOrder() {
        Arguments arguments = Arguments.of("trace", "--tsv");
        assertThat(arguments.tsv()).isTrue();
        assertThat(arguments.quick()).isFalse();
        assertThat(arguments.name().pattern()).isEqualTo("trace");
    }

    @Test
    void whatFailsToMeasureIsNamedAndTheOthersAreStillReported() {
        assertThat(bench("--tsv", "--quick", "rehearsal")).isEqualTo(1);

        assertThat(out.toString(StandardCharsets.UTF_8).lines().map(row -> row.split("\t", -1)))
                .extracting(cells -> cells[0] + " " + cells[2] + " " + cells[6])
                .containsExactly(
                        "name unit verdict",
                        "rehearsal.over ns over",
                        "rehearsal.over.bytes B more over");
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("/3 " + RehearsalBenchmark.class.getName() + ".over")
                .contains("IllegalStateException: broken on purpose")
                .contains("bench: rehearsal.broken (")
                .doesNotContain("# Warmup", "Iteration");
    }

    @Test
    void overBudgetIsShownAndIsNoFailure() {
        assertThat(bench("--quick", "rehearsal.over")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8).lines())
                .hasSize(3)
                .anyMatch(row -> row.matches("rehearsal.over .* at most 0x +over"));
    }

    /** Stands for a class of benchmarks. */
    public static final class Some {
        /** The other. */
        public void bare() {}

        /** Compared. */
        @Budget(name = "some.copy", against = "bare", atMostRatio = 2)
        public void copy() {}

        /** The same name. */
        @Budget(name = "some.copy")
        public void twin() {}

        /** Against nothing. */
        @Budget(name = "some.lost", against = "gone", atMostRatio = 2)
        public void lost() {}
    }

    private static final String SOME = Some.class.getName() + ".";

    @Test
    void aBudgetNamesItsFigureAndWhatItIsComparedWith() {
        Catalog catalog = new Catalog(List.of(SOME + "bare", SOME + "copy"));
        assertThat(catalog.names()).containsExactly("some.copy");
        assertThat(catalog.select(Pattern.compile("copy")))
                .extracting(Catalog.Entry::method, Catalog.Entry::against)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(SOME + "copy", SOME + "bare"));
        assertThat(catalog.select(Pattern.compile("bare"))).isEmpty();
    }

    @Test
    void twoFiguresOfOneNameAndAComparisonWithNothingAreOurMistakes() {
        assertThatIllegalStateException()
                .isThrownBy(() -> new Catalog(List.of(SOME + "bare", SOME + "copy", SOME + "twin")))
                .withMessageContaining("both named some.copy");
        assertThatIllegalStateException()
                .isThrownBy(() -> new Catalog(List.of(SOME + "lost")))
                .withMessageContaining("gone, which is no benchmark");
    }

    @Test
    void parametersMeetThoseOfTheOtherAndWhatIsMissingIsNamed() {
        Catalog catalog = new Catalog(List.of(SOME + "bare", SOME + "copy"));
        List<Catalog.Entry> entries = catalog.select(Pattern.compile(""));
        Results results = new Results();
        results.add(SOME + "copy", "[64]", 10, 0);
        results.add(SOME + "copy", "[4096]", 90, 0);
        results.add(SOME + "bare", "[4096]", 30, 0);
        List<String> failures = new ArrayList<>();

        List<Figure> figures = results.figures(entries, failures);

        assertThat(figures).extracting(Figure::name).containsExactly("some.copy[4096]");
        assertThat(figures.getFirst().over()).isTrue();
        assertThat(failures)
                .containsExactly(
                        "some.copy[64] has nothing to compare with: %sbare was not measured"
                                .formatted(SOME));
    }

    @Test
    void aBenchmarkThatGaveNothingIsAFailure() {
        Catalog catalog = new Catalog(List.of(SOME + "bare", SOME + "copy"));
        Results results = new Results();
        results.add(SOME + "bare", "", 30, 0);
        results.add(SOME + "copy", "", Double.NaN, 0);
        List<String> failures = new ArrayList<>();
        assertThat(results.figures(catalog.select(Pattern.compile("")), failures)).isEmpty();
        assertThat(failures).containsExactly("some.copy (%scopy) was not measured".formatted(SOME));
    }
}
