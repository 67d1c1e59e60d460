package org.peerlane.tests.benchmarks;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * What the command line asks for.
 *
 * @param tsv rows for programs instead of a table
 * @param quick short runs, for a look only
 * @param name which figures; matches anywhere in the name
 */
record Arguments(boolean tsv, boolean quick, Pattern name) {
    /**
     * @throws IllegalArgumentException with one sentence for the user
     */
    static Arguments of(String... words) {
        boolean tsv = false;
        boolean quick = false;
        @Nullable String name = null;
        for (String word : words) {
            switch (word) {
                case "--tsv" -> tsv = true;
                case "--quick" -> quick = true;
                default -> {
                    if (word.startsWith("-")) {
                        throw new IllegalArgumentException(
                                "there is no option '%s'; known are --tsv and --quick"
                                        .formatted(word));
                    }
                    if (name != null) {
                        throw new IllegalArgumentException(
                                "two names, '%s' and '%s'; expected one pattern, such as '%s|%s'"
                                        .formatted(name, word, name, word));
                    }
                    name = word;
                }
            }
        }
        try {
            return new Arguments(tsv, quick, Pattern.compile(name == null ? "" : name));
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "'%s' is not a regular expression: %s".formatted(name, e.getDescription()), e);
        }
    }
}
