package org.peerlane.tests.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The report's two forms: columns for people, one tab-separated row a figure for programs. */
final class Report {
    private static final List<String> HEADER =
            List.of("name", "value", "unit", "compared with", "ratio", "budget", "verdict");

    /** Numbers stand on the right. */
    private static final List<Boolean> RIGHT =
            List.of(false, true, false, false, true, false, false);

    private Report() {}

    private static List<List<String>> rows(List<Figure> figures) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADER);
        figures.forEach(figure -> rows.add(figure.cells()));
        return rows;
    }

    static String tsv(List<Figure> figures) {
        return rows(figures).stream()
                .map(row -> String.join("\t", row) + "\n")
                .collect(Collectors.joining());
    }

    static String table(List<Figure> figures) {
        List<List<String>> rows = rows(figures);
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                int c = column;
                int width = rows.stream().mapToInt(r -> r.get(c).length()).max().orElse(0);
                String pad = " ".repeat(width - row.get(c).length());
                line.append(c == 0 ? "" : "  ");
                line.append(RIGHT.get(c) ? pad + row.get(c) : row.get(c) + pad);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
