package org.peerlane.tests.benchmarks;

import java.io.PrintStream;
import java.util.Collection;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.format.OutputFormat;

/** One line a benchmark in place of what JMH says; what a failing one says is passed on. */
final class Progress implements OutputFormat {
    private final PrintStream out;
    private final int total;
    private int begun;

    /** From here on JMH says why a benchmark failed. */
    private boolean failing;

    /**
     * @param out gets the lines
     * @param total how many benchmarks will run, as far as is known
     */
    Progress(PrintStream out, int total) {
        this.out = out;
        this.total = total;
    }

    @Override
    public void startBenchmark(BenchmarkParams benchmark) {
        failing = false;
        begun++;
        StringBuilder line = new StringBuilder("%d/%d ".formatted(begun, Math.max(begun, total)));
        line.append(Names.of(benchmark.getBenchmark(), benchmark));
        out.println(line);
    }

    @Override
    public void println(String text) {
        print(text + "\n");
    }

    @Override
    public void print(String text) {
        failing |= text.contains("<failure>") || text.startsWith("<forked VM failed");
        if (failing || text.startsWith("ERROR")) {
            out.print(text);
        }
    }

    @Override
    public void write(int b) {
        if (failing) {
            out.write(b);
        }
    }

    @Override
    public void write(byte[] bytes) {
        if (failing) {
            out.writeBytes(bytes);
        }
    }

    @Override
    public void endBenchmark(BenchmarkResult result) {
        failing = false;
    }

    @Override
    public void iteration(BenchmarkParams benchmark, IterationParams params, int iteration) {}

    @Override
    public void iterationResult(
            BenchmarkParams benchmark,
            IterationParams params,
            int iteration,
            IterationResult result) {}

    @Override
    public void startRun() {}

    @Override
    public void endRun(Collection<RunResult> results) {}

    @Override
    public void verbosePrintln(String text) {}

    @Override
    public void flush() {
        out.flush();
    }

    @Override
    public void close() {
        out.flush();
    }
}
