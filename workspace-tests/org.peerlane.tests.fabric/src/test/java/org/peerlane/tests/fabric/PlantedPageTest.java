package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** That {@code docs/planted.md} says of each mistake what is so. */
@DisplayName("The page of planted mistakes")
class PlantedPageTest {
    private static final Path HOME = Path.of("../..");
    private static final Path CORE = HOME.resolve("bundles/org.peerlane.dmabuf.core/src");
    private static final Pattern REPORTED =
            Pattern.compile(
                    "^\\| (CK-\\d+) \\| .* \\| `([^`]+)` \\| `(\\w+)` \\|$", Pattern.MULTILINE);
    private static final Pattern SEEN =
            Pattern.compile("^\\| (CK-\\d+) \\| [^|]+ \\| `(\\w+)` \\|$", Pattern.MULTILINE);
    private static final Pattern ANY = Pattern.compile("^\\| (CK-\\d+) ", Pattern.MULTILINE);

    private static String page() throws IOException {
        return Files.readString(HOME.resolve("docs/planted.md"));
    }

    private static List<String> ids(String text) {
        return ANY.matcher(text).results().map(m -> m.group(1)).toList();
    }

    private static Map<String, String> javaFiles(Path... roots) throws IOException {
        Stream<Path> all = Stream.empty();
        for (Path root : roots) {
            all = Stream.concat(all, Files.walk(root));
        }
        try (Stream<Path> files = all) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .collect(
                            Collectors.toMap(
                                    file -> file.getFileName().toString(),
                                    PlantedPageTest::read,
                                    (one, other) -> one + other));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void everyRuleOfTheSectionIsThereOnce() throws IOException {
        String reference = Files.readString(HOME.resolve("docs/reference/dma-buf.md"));
        assertThat(ids(page())).doesNotHaveDuplicates();
        assertThat(new TreeSet<>(ids(page()))).isEqualTo(new TreeSet<>(ids(reference)));
    }

    @Test
    void theTestsThatItNamesProveTheRules() throws IOException {
        Map<String, String> tests = javaFiles(CORE.resolve("test"), Path.of("src/test/java"));
        List<MatchResult> rows =
                Stream.concat(REPORTED.matcher(page()).results(), SEEN.matcher(page()).results())
                        .toList();
        assertThat(rows).hasSizeGreaterThan(40);
        for (MatchResult row : rows) {
            String test = row.group(row.groupCount());
            assertThat(tests).as(row.group()).containsKey(test + ".java");
            assertThat(tests.get(test + ".java"))
                    .as(row.group())
                    .contains("@Rule(\"" + row.group(1) + "\")");
        }
    }

    @Test
    void theWordsAreTheCores() throws IOException {
        String core =
                String.join("\n", javaFiles(CORE.resolve("main")).values())
                        .replaceAll("\"\\s*\\+\\s*\"", "");
        for (MatchResult row : REPORTED.matcher(page()).results().toList()) {
            assertThat(core.contains(row.group(2))).as(row.group()).isTrue();
        }
    }
}
