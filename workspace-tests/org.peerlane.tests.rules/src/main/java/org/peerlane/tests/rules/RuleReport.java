package org.peerlane.tests.rules;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.peerlane.tests.rules.Standing.State;

/**
 * Reports which rules of {@code docs/reference} have a passing test: {@code RuleReport [--tsv]
 * [--missing] ROOT}.
 *
 * <p>Ends with 0; with 1 if a rule fails or rules, tests and left-out list contradict each other;
 * with 2 if it was called wrongly or cannot read.
 */
public final class RuleReport {
    private RuleReport() {}

    /** Prints the report. */
    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(List.of(arguments), out, err));
    }

    /** {@return the exit code} */
    static int run(List<String> arguments, PrintStream out, PrintStream err) {
        boolean table = false;
        boolean missing = false;
        Path root = null;
        for (String argument : arguments) {
            switch (argument) {
                case "--tsv" -> table = true;
                case "--missing" -> missing = true;
                default -> {
                    if (argument.startsWith("-") || root != null) {
                        err.println(
                                "\"%s\" was not expected; usage: rules [--tsv] [--missing] ROOT"
                                        .formatted(argument));
                        return 2;
                    }
                    root = Path.of(argument);
                }
            }
        }
        if (root == null) {
            err.println("The project's root is missing; usage: rules [--tsv] [--missing] ROOT");
            return 2;
        }
        try {
            return report(root, table, missing, out, err);
        } catch (IOException e) {
            err.println(e.getMessage());
            return 2;
        }
    }

    private static int report(
            Path root, boolean table, boolean missing, PrintStream out, PrintStream err)
            throws IOException {
        Ledger ledger = Ledger.of(Sources.read(root));
        Report report = new Report(ledger.standings());
        out.print(table ? report.table() : report.text(missing));
        out.flush();
        ledger.problems().forEach(err::println);
        boolean failing =
                ledger.standings().stream().anyMatch(rule -> rule.state() == State.FAILING);
        return failing || !ledger.problems().isEmpty() ? 1 : 0;
    }
}
