package org.peerlane.tests.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What {@link BenchTest} runs: benchmarks whose outcome is sure. */
@State(Scope.Thread)
public class RehearsalBenchmark {
    private int turns;

    /** Does little. */
    @Benchmark
    public int little() {
        return turns++;
    }

    /** Allocates 16 bytes more than {@link #little} and is within no budget of a femtosecond. */
    @Benchmark
    @Budget(name = "rehearsal.over", against = "little", atMostRatio = 1e-6, maxBytesPerOp = 8)
    public Object over() {
        return new int[] {turns++};
    }

    /** Fails. */
    @Benchmark
    @Budget(name = "rehearsal.broken", atMostNanos = 1e9)
    public int broken() {
        throw new IllegalStateException("broken on purpose");
    }
}
