package org.peerlane.tests.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Benchmark report")
class ReportTest {
    private final List<Figure> figures =
            List.of(
                    new Figure(
                            "trace.off",
                            0.25,
                            "ns more",
                            "baseline, 2 ns",
                            1.125,
                            "at most 1 ns more",
                            false),
                    new Figure(
                            "exec.schedules",
                            9000,
                            "/s",
                            "the limit",
                            0.9,
                            "at least 10000/s",
                            true),
                    new Figure("trace.ring", 81.25, "ns", "-", Double.NaN, "none", false));

    @Test
    void theTableHasColumnsWithNumbersOnTheRight() {
        assertThat(Report.table(figures))
                .isEqualTo(
                        """
                        name            value  unit     compared with   ratio  budget             verdict
                        trace.off        0.25  ns more  baseline, 2 ns   1.13  at most 1 ns more  ok
                        exec.schedules   9000  /s       the limit         0.9  at least 10000/s   over
                        trace.ring       81.3  ns       -                   -  none               ok
                        """);
    }

    @Test
    void theRowsForProgramsHaveSevenCellsAndAHeader() {
        assertThat(Report.tsv(figures))
                .isEqualTo(
                        """
                        name\tvalue\tunit\tcompared with\tratio\tbudget\tverdict
                        trace.off\t0.25\tns more\tbaseline, 2 ns\t1.13\tat most 1 ns more\tok
                        exec.schedules\t9000\t/s\tthe limit\t0.9\tat least 10000/s\tover
                        trace.ring\t81.3\tns\t-\t-\tnone\tok
                        """);
    }
}
