package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.tests.endtoend.Launcher.Outcome;
import org.peerlane.tests.endtoend.Sessions.Session;

/** Every {@code ./peerlane exec} that the README shows works, and every link leads somewhere. */
@DisplayName("README.md")
class ReadmeTest {
    private static final Pattern EXEC =
            Pattern.compile(
                    "^(?:\\$ )?\\./peerlane exec (\\S+) '([^']*)'(\\npeerlane: \\w+)?",
                    Pattern.MULTILINE);
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");

    private static String readme() throws IOException {
        return Files.readString(Launcher.HOME.resolve("README.md"));
    }

    /**
     * Machine, command, and how the error message begins that the README shows below it, if any.
     */
    static Stream<String[]> commands() throws IOException {
        return EXEC.matcher(readme())
                .results()
                .map(m ->
                        new String[] {
                            m.group(1), m.group(2), m.group(3) == null ? "" : m.group(3).strip()
                        });
    }

    @ParameterizedTest(name = "exec {0} {1}")
    @MethodSource("commands")
    void everyCommandDoesWhatIsShown(String machine, String command, String error)
            throws Exception {
        Outcome outcome = Launcher.run("exec", machine, command);
        assertThat(outcome.exit()).as(outcome.err()).isEqualTo(error.isEmpty() ? 0 : 1);
        assertThat(outcome.err()).startsWith(error);
    }

    static Stream<Session> sessions() throws IOException {
        return Sessions.prompts(Launcher.HOME.resolve("README.md"));
    }

    /** What a person types at the prompt, given to a machine as a script. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("sessions")
    void everySessionAtThePromptGoesAsShown(Session session) throws Exception {
        Outcome outcome = Launcher.run("exec", session.machine(), session.commands());
        assertThat(outcome.exit()).as(outcome.err()).isZero();
        assertThat(Sessions.comparable(outcome.out()))
                .isEqualTo(Sessions.comparable(session.shown()));
    }

    @Test
    void showsAtLeastOneCommand() throws IOException {
        assertThat(commands()).isNotEmpty();
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        for (String page : List.of("README.md", "CONTRIBUTING.md", "docs/architecture.md")) {
            Path file = Launcher.HOME.resolve(page);
            Matcher m = LINK.matcher(Files.readString(file));
            while (m.find()) {
                assertThat(file.resolveSibling(m.group(1))).as(page).exists();
            }
        }
    }
}
