package org.peerlane.tests.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One row of the report.
 *
 * @param name the budget's name, with what is measured if that is not plain time
 * @param value the figure
 * @param unit its unit
 * @param comparedWith another benchmark with its figure, or the limit itself, or {@code -}
 * @param ratio of the figure to what it is compared with, as the budget counts it, or NaN
 * @param budget the limit in words, or {@code none}
 * @param over whether the figure breaks it
 */
record Figure(
        String name,
        double value,
        String unit,
        String comparedWith,
        double ratio,
        String budget,
        boolean over) {
    /** What the allocation profiler shows for code that allocates nothing. */
    private static final double BYTES_NOISE = 0.5;

    /**
     * The rows of one benchmark.
     *
     * @param name the budget's name, with parameters if there are any
     * @param other what {@link Budget#against} came to; null if there is none
     */
    static List<Figure> of(String name, Budget budget, Measured self, @Nullable Measured other) {
        check(name, budget, other);
        List<Figure> rows = new ArrayList<>();
        if (other != null) {
            String against = "%s, %s ns".formatted(budget.against(), number(other.nanos()));
            double ratio = self.nanos() / other.nanos();
            if (isSet(budget.atMostRatio())) {
                double limit = budget.atMostRatio();
                String text = "at most " + number(limit) + "x";
                rows.add(time(name, self.nanos(), against, ratio, text, ratio > limit));
            }
            if (isSet(budget.atLeastTimesFaster())) {
                double limit = budget.atLeastTimesFaster();
                String text = "at least " + number(limit) + "x faster";
                rows.add(time(name, self.nanos(), against, 1 / ratio, text, 1 / ratio < limit));
            }
            if (isSet(budget.atMostExtraNanos())) {
                double limit = budget.atMostExtraNanos();
                double extra = self.nanos() - other.nanos();
                String text = "at most " + number(limit) + " ns more";
                rows.add(new Figure(name, extra, "ns more", against, ratio, text, extra > limit));
            }
        }
        if (isSet(budget.atMostNanos())) {
            double limit = budget.atMostNanos();
            String text = "at most " + number(limit) + " ns";
            double ratio = self.nanos() / limit;
            rows.add(time(name, self.nanos(), "the limit", ratio, text, ratio > 1));
        }
        if (isSet(budget.atLeastPerSecond())) {
            double limit = budget.atLeastPerSecond();
            double rate = 1e9 / self.nanos();
            String text = "at least " + number(limit) + "/s";
            rows.add(new Figure(name, rate, "/s", "the limit", rate / limit, text, rate < limit));
        }
        if (rows.isEmpty() && !isSet(budget.maxBytesPerOp())) {
            rows.add(
                    other == null
                            ? time(name, self.nanos(), "-", Double.NaN, "none", false)
                            : time(
                                    name,
                                    self.nanos(),
                                    "%s, %s ns".formatted(budget.against(), number(other.nanos())),
                                    self.nanos() / other.nanos(),
                                    "none",
                                    false));
        }
        if (isSet(budget.maxBytesPerOp())) {
            rows.add(bytes(name, budget, self, other));
        }
        return rows;
    }

    private static void check(String name, Budget budget, @Nullable Measured other) {
        boolean compares =
                isSet(budget.atMostRatio())
                        || isSet(budget.atLeastTimesFaster())
                        || isSet(budget.atMostExtraNanos());
        if (compares && other == null) {
            throw new IllegalArgumentException(
                    name + " has a limit that compares, but names nothing to compare with");
        }
    }

    private static Figure time(
            String name, double nanos, String with, double ratio, String budget, boolean over) {
        return new Figure(name, nanos, "ns", with, ratio, budget, over);
    }

    private static Figure bytes(
            String name, Budget budget, Measured self, @Nullable Measured other) {
        double limit = budget.maxBytesPerOp();
        double value = self.bytes();
        String unit = "B";
        String with = "-";
        double ratio = Double.NaN;
        if (other != null) {
            value -= other.bytes();
            unit = "B more";
            with = "%s, %s B".formatted(budget.against(), number(other.bytes()));
            ratio = other.bytes() < BYTES_NOISE ? Double.NaN : self.bytes() / other.bytes();
        }
        String text = "at most " + number(limit) + " " + unit;
        return new Figure(
                name + ".bytes", value, unit, with, ratio, text, value > limit + BYTES_NOISE);
    }

    private static boolean isSet(double limit) {
        return limit != Budget.NONE;
    }

    /** {@return a number with as many digits as mean something: 1.25, 18.4, 12345} */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        double size = Math.abs(value);
        String text =
                String.format(
                        Locale.ROOT, size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f", value);
        String plain = text.contains(".") ? text.replaceAll("\\.?0+$", "") : text;
        return plain.equals("-0") ? "0" : plain;
    }

    /** {@return the row's cells, as both forms of the report print them} */
    List<String> cells() {
        return List.of(
                name,
                number(value),
                unit,
                comparedWith,
                number(ratio),
                budget,
                over ? "over" : "ok");
    }
}
