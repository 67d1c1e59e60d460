package org.peerlane.board;

import java.util.Collection;
import java.util.Comparator;

/** What somebody meant who wrote a name that does not exist. */
final class Nearest {
    private Nearest() {}

    /** {@return {@code , did you mean 'x'?}, or nothing where no name is near} */
    static String to(String name, Collection<String> known) {
        return known.stream()
                .filter(k -> distance(name, k) <= 2 + name.length() / 6)
                .min(Comparator.comparingInt(k -> distance(name, k)))
                .map(k -> ", did you mean '" + k + "'?")
                .orElse("");
    }

    /** The Levenshtein distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
