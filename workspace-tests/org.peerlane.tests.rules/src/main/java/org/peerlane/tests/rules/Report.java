package org.peerlane.tests.rules;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.peerlane.tests.rules.Standing.State;

/** Prints how the rules stand, for people or as a table. */
final class Report {
    /** So many missing rules are listed without being asked for. */
    static final int FEW = 40;

    private final List<Standing> standings;

    Report(List<Standing> standings) {
        this.standings = standings;
    }

    /** {@return one row a rule, under a header} */
    String table() {
        StringBuilder text =
                new StringBuilder("id\tdocument\tstate\ttest or reason\tsection\ttags\n");
        for (Standing standing : standings) {
            Definition rule = standing.rule();
            text.append(
                    "%s\t%s\t%s\t%s\t%s\t%s\n"
                            .formatted(
                                    rule.id(),
                                    rule.document(),
                                    standing.state(),
                                    standing.detail(),
                                    rule.section(),
                                    String.join(" ", rule.tags())));
        }
        return text.toString();
    }

    /**
     * {@return a line for each chapter with totals, then failing and missing rules}
     *
     * @param allMissing also if they are many
     */
    String text(boolean allMissing) {
        StringBuilder text = new StringBuilder();
        Map<String, Map<String, Counts>> documents = new LinkedHashMap<>();
        Counts all = new Counts();
        for (Standing standing : standings) {
            documents
                    .computeIfAbsent(standing.rule().document(), key -> new LinkedHashMap<>())
                    .computeIfAbsent(standing.rule().chapter(), key -> new Counts())
                    .add(standing.state());
            all.add(standing.state());
        }
        documents.forEach((document, chapters) -> {
            text.append(heading(document + ".md"));
            Counts total = new Counts();
            chapters.forEach((chapter, counts) -> {
                text.append(counts.line("  " + chapter));
                total.add(counts);
            });
            text.append(total.line("  all of " + document)).append('\n');
        });
        text.append(all.line("all " + standings.size() + " rules"));
        list(text, State.FAILING);
        if (allMissing || all.of(State.MISSING) <= FEW) {
            list(text, State.MISSING);
        } else {
            text.append("\n--missing lists the missing ones.\n");
        }
        return text.toString();
    }

    private void list(StringBuilder text, State state) {
        String section = "";
        for (Standing standing : standings) {
            if (standing.state() != state) {
                continue;
            }
            if (section.isEmpty()) {
                text.append('\n').append(state).append(":\n");
            }
            Definition rule = standing.rule();
            String here = rule.document() + ".md, " + rule.section();
            if (!here.equals(section)) {
                text.append("  ").append(here).append('\n');
                section = here;
            }
            String detail = standing.detail().isEmpty() ? "" : "  " + standing.detail();
            text.append("    ").append(rule.id()).append(detail).append('\n');
        }
    }

    private static String heading(String document) {
        StringBuilder line = new StringBuilder("%-56s".formatted(document));
        for (State state : State.values()) {
            line.append("%10s".formatted(state));
        }
        return line.append('\n').toString();
    }

    /** How many rules are in each state. */
    private static final class Counts {
        private final Map<State, Integer> counts = new EnumMap<>(State.class);

        void add(State state) {
            counts.merge(state, 1, Integer::sum);
        }

        void add(Counts other) {
            other.counts.forEach((state, count) -> counts.merge(state, count, Integer::sum));
        }

        int of(State state) {
            return counts.getOrDefault(state, 0);
        }

        String line(String name) {
            String cut = name.length() > 55 ? name.substring(0, 54) + "…" : name;
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-56s", cut));
            for (State state : State.values()) {
                line.append(of(state) == 0 ? "%10s".formatted("-") : "%10d".formatted(of(state)));
            }
            return line.append('\n').toString();
        }
    }
}
