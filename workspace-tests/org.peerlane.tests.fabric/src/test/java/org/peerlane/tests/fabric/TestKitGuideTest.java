package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the guide shows of code is in a test that runs. */
@DisplayName("The guide to the test kit")
class TestKitGuideTest {
    private static final Path PAGE = Path.of("../../docs/guide/testkit.md");
    private static final Path SOURCES = Path.of("src/test/java/org/peerlane/tests/fabric");
    private static final Pattern CODE =
            Pattern.compile("^```java\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("`([A-Z_]{4,}|[a-z]+[A-Za-z]*)\\(");

    private static List<String> sources(Path folder) throws IOException {
        List<String> texts = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                texts.add(Files.readString(file));
            }
        }
        return texts;
    }

    @Test
    void everyPieceOfCodeIsInATest() throws IOException {
        List<String> texts = sources(SOURCES);
        List<String> pieces =
                CODE.matcher(Files.readString(PAGE)).results().map(m -> m.group(1)).toList();
        assertThat(pieces).hasSizeGreaterThan(4);
        for (String piece : pieces) {
            assertThat(texts).anySatisfy(text -> assertThat(text).contains(piece));
        }
    }

    @Test
    void everyMethodThatItNamesIsThere() throws IOException {
        String kit =
                String.join(
                        "\n", sources(Path.of("../../bundles/org.peerlane.testkit.dmabuf/src")));
        List<String> names =
                NAME.matcher(Files.readString(PAGE)).results().map(m -> m.group(1)).toList();
        assertThat(names).hasSizeGreaterThan(8);
        assertThat(names).allSatisfy(name -> assertThat(kit).contains(name + "("));
    }
}
