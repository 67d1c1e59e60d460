package org.peerlane.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A row of a golden table ({@code docs/reference/golden}): what a real kernel answered to a call.
 *
 * @param table the file, without its ending
 * @param name of the case, such as {@code sync.poll_pending.2}; its scenario and a number
 * @param call what was called
 * @param arguments as the recorder wrote them
 * @param result what was returned, or an error such as {@code -EINVAL}
 * @param note what else was seen; may be empty
 */
public record GoldenRow(
        String table, String name, String call, String arguments, String result, String note) {
    private static final Path FOLDER = Path.of("../../docs/reference/golden"); // from a module
    private static final Pattern FIELD = Pattern.compile("(\\w+)=(0x[0-9a-f]+|\\d+)");

    /** What a row answered, or somebody who is asked the same. */
    public record Answer(String result, String note) {}

    /**
     * {@return the rows of a table}
     *
     * @param table the file, without its ending
     */
    public static List<GoldenRow> of(String table) throws IOException {
        return Files.readAllLines(FOLDER.resolve(table + ".tsv")).stream()
                .map(line -> line.split("\t", -1))
                .filter(columns -> columns[0].matches("\\w+\\.\\S+")) // no remark, no heading
                .map(columns ->
                        new GoldenRow(
                                table, columns[0], columns[1], columns[2], columns[3], columns[4]))
                .toList();
    }

    /** {@return what its name has in common with those that were recorded one after the other} */
    public String scenario() {
        return name.substring(0, name.lastIndexOf('.'));
    }

    /** {@return whether both are of one scenario of one table} */
    public boolean isOfScenarioOf(GoldenRow other) {
        return table.equals(other.table) && scenario().equals(other.scenario());
    }

    /** {@return what the kernel answered} */
    public Answer answer() {
        return new Answer(result, note);
    }

    /** {@return a number among the arguments: hex after 0x, octal after 0, else decimal} */
    public long field(String wanted) {
        Matcher matcher = FIELD.matcher(arguments);
        while (matcher.find()) {
            if (matcher.group(1).equals(wanted)) {
                String digits = matcher.group(2);
                return digits.startsWith("0x")
                        ? Long.parseUnsignedLong(digits.substring(2), 16)
                        : Long.decode(digits);
            }
        }
        throw new AssertionError("'%s' has no %s".formatted(arguments, wanted));
    }

    @Override
    public String toString() {
        return name.startsWith(table + ".") ? name : table + " " + name;
    }
}
