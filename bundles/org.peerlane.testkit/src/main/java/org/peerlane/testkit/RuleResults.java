package org.peerlane.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What the tests of one class answered for their rules, and the file that keeps it: {@code
 * <class>.tsv} with the columns rule, test, outcome, number of invocations, and the first of these.
 *
 * <p>The folder is {@value #FOLDER_PROPERTY}, or {@value #FOLDER} of the working directory.
 */
final class RuleResults implements AutoCloseable {
    static final String FOLDER_PROPERTY = "peerlane.rule.results";
    static final String FOLDER = "target/rule-results";
    static final String PASSED = "passed";
    static final String FAILED = "failed";
    static final String ABORTED = "aborted";
    static final String DISABLED = "disabled";
    static final String HEADER = "rule\ttest\toutcome\tinvocations\tfirst";

    /** How often one outcome came, and where first. */
    private record Count(long invocations, String first) {

        Count plus(Count other) {
            return new Count(invocations + other.invocations, first);
        }
    }

    private final Path file;
    private final ConcurrentSkipListMap<String, Count> counts = new ConcurrentSkipListMap<>();

    private RuleResults(Path file) {
        this.file = file;
    }

    /** Takes the file of an earlier run away. */
    static RuleResults begin(String testClass) {
        Path file = Path.of(System.getProperty(FOLDER_PROPERTY, FOLDER), testClass + ".tsv");
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot replace the rule results " + file, e);
        }
        return new RuleResults(file);
    }

    void add(String rule, String test, String outcome, String invocation) {
        counts.merge(
                rule + "\t" + test + "\t" + outcome,
                new Count(1, invocation.replaceAll("\\s+", " ")),
                Count::plus);
    }

    @Override
    public void close() throws IOException {
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        counts.forEach((key, count) ->
                text.append(key)
                        .append('\t')
                        .append(count.invocations)
                        .append('\t')
                        .append(count.first)
                        .append('\n'));
        Files.createDirectories(file.toAbsolutePath().getParent());
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(fresh, text);
        Files.move(
                fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
