package org.peerlane.tests.benchmarks;

import org.openjdk.jmh.infra.BenchmarkParams;

/** How a benchmark with parameters is named. */
final class Names {
    private Names() {}

    /** {@return the name, and the values of the benchmark's parameters: {@code dma.copy[4096]}} */
    static String of(String name, BenchmarkParams benchmark) {
        StringBuilder text = new StringBuilder();
        for (String key : benchmark.getParamsKeys()) {
            text.append(text.isEmpty() ? "" : ",").append(benchmark.getParam(key));
        }
        return text.isEmpty() ? name : name + "[" + text + "]";
    }
}
