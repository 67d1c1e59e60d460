package org.peerlane.tests.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * {@code Bench [--tsv] [--quick] [NAME]}: measures, and prints each figure beside its budget.
 *
 * <p>A figure's time is the best of its iterations: whatever else runs on the machine only ever
 * adds to it.
 *
 * <p>The report goes to the standard output, progress to the standard error. Exit 0: all was
 * measured, over budget or not; 1: something failed to measure; 2: the command line is wrong.
 */
public final class Bench {
    /**
     * What the simulator needs of a JVM; native access and Unsafe are JMH's and the memory's. The
     * heap is there from the beginning: a first touch of a page costs a virtual machine some 10 us,
     * which would be counted for whoever allocates while it grows.
     */
    private static final List<String> JVM =
            List.of(
                    "-Xms1g",
                    "-Xmx1g",
                    "-XX:+AlwaysPreTouch",
                    "-XX:+UseTransparentHugePages",
                    "--enable-native-access=ALL-UNNAMED",
                    "--add-opens=java.base/java.lang=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-Djdk.trackAllThreads=false",
                    "-Dlog4j2.level=WARN");

    private static final String BYTES = "gc.alloc.rate.norm";

    private final PrintStream out;
    private final PrintStream err;

    Bench(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /**
     * See the class.
     *
     * @param words the command line
     */
    public static void main(String... words) {
        int status = new Bench(System.out, System.err).run(words);
        System.out.flush();
        System.exit(status);
    }

    /** {@return the exit status} */
    int run(String... words) {
        Arguments arguments;
        try {
            arguments = Arguments.of(words);
        } catch (IllegalArgumentException e) {
            err.println("bench: " + e.getMessage());
            return 2;
        }
        Catalog catalog = catalog();
        List<Catalog.Entry> selected = catalog.select(arguments.name());
        if (selected.isEmpty()) {
            err.printf(
                    "bench: no figure's name matches '%s'; there are: %s%n",
                    arguments.name(), String.join(", ", catalog.names()));
            return 2;
        }
        List<Figure> figures = new ArrayList<>();
        boolean complete = measure(arguments, selected, figures);
        out.print(arguments.tsv() ? Report.tsv(figures) : Report.table(figures));
        return complete ? 0 : 1;
    }

    private Catalog catalog() {
        List<String> methods = new ArrayList<>();
        for (BenchmarkListEntry entry :
                BenchmarkList.defaultList().getAll(new Progress(err, 0), List.of())) {
            methods.add(entry.getUsername());
        }
        return new Catalog(methods);
    }

    private boolean measure(
            Arguments arguments, List<Catalog.Entry> selected, List<Figure> figures) {
        Set<String> methods = new LinkedHashSet<>();
        for (Catalog.Entry entry : selected) {
            if (!entry.against().isEmpty()) {
                methods.add(entry.against());
            }
            methods.add(entry.method());
        }
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .mode(Mode.AverageTime)
                        .timeUnit(TimeUnit.NANOSECONDS)
                        .addProfiler(GCProfiler.class)
                        .jvmArgs(JVM.toArray(String[]::new))
                        .shouldFailOnError(false)
                        .forks(1)
                        .warmupIterations(arguments.quick() ? 2 : 4)
                        .measurementIterations(arguments.quick() ? 3 : 8)
                        .warmupTime(TimeValue.milliseconds(arguments.quick() ? 200 : 250))
                        .measurementTime(TimeValue.milliseconds(arguments.quick() ? 100 : 150));
        methods.forEach(method -> options.include("^" + Pattern.quote(method) + "$"));
        Progress progress = new Progress(err, methods.size());
        Collection<RunResult> results;
        try {
            results = new Runner(options.build(), progress).run();
        } catch (RunnerException e) {
            err.println("bench: " + e.getMessage());
            return false;
        }
        Results measured = new Results();
        for (RunResult result : results) {
            add(measured, result);
        }
        List<String> failures = new ArrayList<>();
        figures.addAll(measured.figures(selected, failures));
        failures.forEach(failure -> err.println("bench: " + failure));
        return failures.isEmpty();
    }

    private static void add(Results measured, RunResult result) {
        if (result.getBenchmarkResults().isEmpty()) {
            return;
        }
        Result<?> bytes = result.getSecondaryResults().get(BYTES);
        if (bytes == null) {
            bytes = result.getSecondaryResults().get("\u00b7" + BYTES);
        }
        double nanos = result.getPrimaryResult().getStatistics().getMin();
        double perOp = bytes == null ? Double.NaN : bytes.getScore();
        measured.add(
                result.getParams().getBenchmark(), Names.of("", result.getParams()), nanos, perOp);
    }
}
