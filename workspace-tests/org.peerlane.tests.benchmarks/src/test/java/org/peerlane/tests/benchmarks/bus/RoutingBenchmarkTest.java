package org.peerlane.tests.benchmarks.bus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RoutingBenchmark")
class RoutingBenchmarkTest {
    /** A function without an address is reached by nobody, so it would not be one of many. */
    @Test
    void everyOneOfAThousandFunctionsIsReached() throws Exception {
        RoutingBenchmark.Wide wide = new RoutingBenchmark.Wide();
        wide.functions = 1000;
        wide.plug();
        try {
            for (int i = 0; i < wide.functions; i++) {
                assertThat(wide.board.function(i).bar(0).bytes())
                        .as("BAR 0 of %d", i)
                        .isEqualTo(4096);
                assertThat(wide.board.function(i).bar(2).bytes())
                        .as("BAR 2 of %d", i)
                        .isEqualTo(0x1_0000);
                wide.board.function(i).write(0, 8, 4, i);
                assertThat(wide.board.function(i).read(2, 0, 4)).as("memory of %d", i).isZero();
            }
        } finally {
            wide.close();
        }
    }
}
