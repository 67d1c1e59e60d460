package org.peerlane.tests.benchmarks.exec;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Simulator;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.tests.benchmarks.Budget;

/**
 * Schedules per second for a body of four threads, and the cost of an unarmed checkpoint in a loop
 * against the same loop without it. Budget: 10,000 schedules per second.
 */
@State(Scope.Thread)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-Djdk.trackAllThreads=false"
        })
public class ScheduleBenchmark {
    private static final int THREADS = 4;
    private static final int LOOP = 1_000;

    private final Simulator simulator = Simulator.find();
    private long seed;

    /** Makes the state. */
    public ScheduleBenchmark() {}

    /** How many checkpoints each of the four threads passes. */
    @State(Scope.Thread)
    public static class Steps {
        /** 10: forty in all; 40: forty each. */
        @Param({"10", "40"})
        int perThread;

        /** Makes the state. */
        public Steps() {}
    }

    /** A checkpoint of a live execution that nobody arms. */
    @State(Scope.Thread)
    public static class Live {
        private final int[] data = new int[LOOP];
        private final LiveExecution execution = new LiveExecution("bench");
        private Checkpoint checkpoint = execution.checkpoint("bench.unarmed");

        /** Makes the state. */
        public Live() {}

        /** Fills the data that both loops read. */
        @Setup(Level.Trial)
        public void fill() {
            checkpoint = execution.checkpoint("bench.unarmed");
            for (int i = 0; i < LOOP; i++) {
                data[i] = i * 31;
            }
        }

        /** Lets go of it. */
        @TearDown(Level.Trial)
        public void close() {
            execution.close();
        }
    }

    /** {@return one schedule of the next seed} */
    @Benchmark
    @Budget(name = "exec.schedules", atLeastPerSecond = 10_000)
    public Schedule schedules(Steps steps) {
        int perThread = steps.perThread;
        return simulator.run(++seed, 10_000, execution -> body(execution, perThread));
    }

    private static void body(Execution execution, int steps) throws InterruptedException {
        Checkpoint checkpoint = execution.checkpoint("bench.step");
        Runnable thread =
                () -> {
                    for (int i = 0; i < steps; i++) {
                        checkpoint.reached();
                    }
                };
        EmulatedThread[] threads = new EmulatedThread[THREADS];
        for (int i = 0; i < THREADS; i++) {
            threads[i] = execution.start(ThreadKind.BLOCKING, "t" + i, thread);
        }
        for (EmulatedThread started : threads) {
            started.join();
        }
    }

    /** {@return the sum of 1,000 mixed numbers, a checkpoint passed at each} */
    @Benchmark
    @OperationsPerInvocation(LOOP)
    @Budget(name = "exec.checkpoint", against = "loopWithout", maxBytesPerOp = 0)
    public long loopWithCheckpoint(Live live) {
        long sum = 0;
        for (int value : live.data) {
            live.checkpoint.reached();
            sum = mix(sum, value);
        }
        return sum;
    }

    /** {@return the same sum without} */
    @Benchmark
    @OperationsPerInvocation(LOOP)
    public long loopWithout(Live live) {
        long sum = 0;
        for (int value : live.data) {
            sum = mix(sum, value);
        }
        return sum;
    }

    /** A dependent multiply, so that neither loop becomes a vector operation. */
    private static long mix(long sum, int value) {
        return (sum ^ value) * 0x9E37_79B9_7F4A_7C15L;
    }
}
