package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.tests.endtoend.Launcher.Outcome;

/**
 * Every session that a page of the guide shows goes as it is shown, to the letter, but for where
 * the tables of an IOMMU happen to be.
 */
@DisplayName("docs/guide")
class GuideTest {
    private static final Pattern SESSION =
            Pattern.compile(
                    "^```\\n\\$ \\./peerlane exec (\\S+) '([^'\\n]*)'\\n(.*?)^```$",
                    Pattern.MULTILINE | Pattern.DOTALL);
    private static final String MISTAKE = "peerlane: ";

    /** Page, machine, commands, and what is shown below them. */
    static Stream<Arguments> sessions() throws IOException {
        List<Arguments> sessions = new ArrayList<>();
        try (Stream<Path> pages = Files.list(Launcher.HOME.resolve("docs/guide"))) {
            for (Path page : pages.sorted().toList()) {
                SESSION.matcher(Files.readString(page))
                        .results()
                        .map(m ->
                                Arguments.of(
                                        page.getFileName().toString(),
                                        m.group(1),
                                        m.group(2),
                                        m.group(3)))
                        .forEach(sessions::add);
            }
        }
        return sessions.stream();
    }

    @ParameterizedTest(name = "{0}: exec {1} {2}")
    @MethodSource("sessions")
    void everySessionGoesAsShown(String page, String machine, String commands, String shown)
            throws Exception {
        boolean fails = shown.startsWith(MISTAKE);
        Outcome outcome = Launcher.run("exec", machine, commands);
        assertThat(TableAddresses.named(outcome.out()))
                .as(page)
                .isEqualTo(fails ? "" : TableAddresses.named(shown));
        assertThat(outcome.err()).as(page).startsWith(fails ? shown : "");
        assertThat(outcome.exit()).isEqualTo(fails ? 1 : 0);
    }
}
