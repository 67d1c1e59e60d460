package org.peerlane.tests.benchmarks;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** The benchmarks that have a budget, by its name. */
final class Catalog {
    /**
     * One benchmark.
     *
     * @param method its full name, as JMH has it
     * @param against the full name of what it is compared with; empty: nothing
     */
    record Entry(String method, String against, Budget budget) {}

    private final SortedMap<String, Entry> entries = new TreeMap<>();

    /**
     * @param methods full names of benchmark methods
     * @throws IllegalStateException a budget is wrong: its name is taken, or what it is held
     *     against is no benchmark
     */
    Catalog(Iterable<String> methods) {
        SortedSet<String> known = new TreeSet<>();
        methods.forEach(known::add);
        for (String method : known) {
            Budget budget = method(method).getAnnotation(Budget.class);
            if (budget != null) {
                add(method, budget, known);
            }
        }
    }

    private void add(String method, Budget budget, SortedSet<String> known) {
        String against = "";
        if (!budget.against().isEmpty()) {
            against = method.substring(0, method.lastIndexOf('.') + 1) + budget.against();
            if (!known.contains(against)) {
                throw new IllegalStateException(
                        "%s is held against %s, which is no benchmark".formatted(method, against));
            }
        }
        Entry other = entries.put(budget.name(), new Entry(method, against, budget));
        if (other != null) {
            throw new IllegalStateException(
                    "%s and %s are both named %s".formatted(other.method(), method, budget.name()));
        }
    }

    private static Method method(String benchmark) {
        int dot = benchmark.lastIndexOf('.');
        try {
            for (Method method : Class.forName(benchmark.substring(0, dot)).getMethods()) {
                if (method.getName().equals(benchmark.substring(dot + 1))) {
                    return method;
                }
            }
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(benchmark + " is listed and not there", e);
        }
        throw new IllegalStateException(benchmark + " is listed and not there");
    }

    /** {@return the names of all figures, sorted} */
    List<String> names() {
        return List.copyOf(entries.keySet());
    }

    /** {@return the benchmarks in whose name the pattern is found, by name} */
    List<Entry> select(Pattern pattern) {
        Predicate<String> chosen = pattern.asPredicate();
        List<Entry> selected = new ArrayList<>();
        entries.forEach((name, entry) -> {
            if (chosen.test(name)) {
                selected.add(entry);
            }
        });
        return selected;
    }
}
