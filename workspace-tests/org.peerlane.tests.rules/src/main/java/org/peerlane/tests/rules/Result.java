package org.peerlane.tests.rules;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of a result file that the tests have left.
 *
 * @param rule as the test names it
 * @param test class and method
 * @param outcome {@code passed}, {@code failed}, {@code aborted} or {@code disabled}
 * @param first the first invocation that ended so
 * @param written when
 */
record Result(String rule, String test, String outcome, String first, FileTime written) {

    static List<Result> read(Path file) throws IOException {
        FileTime written = Files.getLastModifiedTime(file);
        List<Result> results = new ArrayList<>();
        List<String> lines = Files.readAllLines(file);
        for (String line : lines.subList(Math.min(1, lines.size()), lines.size())) {
            String[] cells = line.split("\t", -1);
            if (cells.length != 5) {
                throw new IOException(
                        file + " has a line of " + cells.length + " columns, expected 5: " + line);
            }
            results.add(new Result(cells[0], cells[1], cells[2], cells[4], written));
        }
        return results;
    }

    boolean isFailed() {
        return outcome.equals("failed");
    }

    boolean isPassed() {
        return outcome.equals("passed");
    }
}
