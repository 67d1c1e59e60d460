package org.peerlane.tests.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What was measured, by benchmark and parameters. */
final class Results {
    private final Map<String, Map<String, Measured>> byMethod = new LinkedHashMap<>();

    /**
     * @param method the benchmark's full name
     * @param parameters as {@link Names} writes them; empty if it has none
     * @param nanos of one operation; what is no measurement counts as failed
     */
    void add(String method, String parameters, double nanos, double bytes) {
        if (nanos > 0 && bytes >= 0) {
            byMethod.computeIfAbsent(method, m -> new LinkedHashMap<>())
                    .put(parameters, new Measured(nanos, bytes));
        }
    }

    /**
     * Holds what was measured against the budgets.
     *
     * @param failures gets one sentence for each benchmark that is missing
     */
    List<Figure> figures(List<Catalog.Entry> entries, List<String> failures) {
        List<Figure> figures = new ArrayList<>();
        for (Catalog.Entry entry : entries) {
            String name = entry.budget().name();
            Map<String, Measured> measured = byMethod.getOrDefault(entry.method(), Map.of());
            if (measured.isEmpty()) {
                failures.add("%s (%s) was not measured".formatted(name, entry.method()));
            }
            measured.forEach((parameters, self) -> {
                Measured other = other(entry.against(), parameters);
                if (other == null && !entry.against().isEmpty()) {
                    failures.add(
                            "%s has nothing to compare with: %s was not measured"
                                    .formatted(name + parameters, entry.against()));
                } else {
                    figures.addAll(Figure.of(name + parameters, entry.budget(), self, other));
                }
            });
        }
        return figures;
    }

    /** With the same parameters, or the one that has none. */
    private @Nullable Measured other(String method, String parameters) {
        Map<String, Measured> measured = byMethod.getOrDefault(method, Map.of());
        Measured same = measured.get(parameters);
        return same != null ? same : measured.get("");
    }
}
