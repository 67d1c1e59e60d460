package org.peerlane.shell;

import java.util.ArrayList;
import java.util.List;

/**
 * The statements of a Gogo script, so that each can be run, and its result printed, by itself. Gogo
 * run on the whole text prints the last one's result only.
 *
 * <p>A statement ends at a semicolon or a line's end that stands outside of quotes and of brackets.
 */
final class Statements {
    private Statements() {}

    /** {@return the statements that are not empty, in order} */
    static List<String> of(String script) {
        List<String> statements = new ArrayList<>();
        int start = 0;
        int depth = 0;
        char quote = 0;
        for (int i = 0; i < script.length(); i++) {
            char c = script.charAt(i);
            if (c == '\\' && quote != '\'') {
                i++; // what follows stands for itself
            } else if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else {
                switch (c) {
                    case '\'', '"' -> quote = c;
                    case '{', '(', '[' -> depth++;
                    case '}', ')', ']' -> depth--;
                    case ';', '\n' -> {
                        if (depth <= 0) {
                            add(statements, script.substring(start, i));
                            start = i + 1;
                        }
                    }
                    default -> {}
                }
            }
        }
        add(statements, script.substring(start));
        return statements;
    }

    private static void add(List<String> statements, String text) {
        String statement = text.strip();
        if (!statement.isEmpty() && !statement.startsWith("#")) {
            statements.add(statement);
        }
    }
}
