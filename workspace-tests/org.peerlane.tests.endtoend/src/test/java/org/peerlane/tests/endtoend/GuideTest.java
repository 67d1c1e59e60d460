package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.tests.endtoend.Launcher.Outcome;
import org.peerlane.tests.endtoend.Sessions.Session;

/**
 * Every session that a page of the guide or of the docs shows goes as it is shown, to the letter,
 * but for times, and where pages of RAM and the tables of an IOMMU happen to be.
 */
@DisplayName("docs")
class GuideTest {
    private static final String MISTAKE = "peerlane: ";

    static List<Session> sessions() throws IOException {
        List<Session> sessions = new ArrayList<>();
        for (String folder : List.of("docs/guide", "docs")) {
            for (Path page : Sessions.pages(folder)) {
                Sessions.scripts(page).forEach(sessions::add);
                Sessions.prompts(page).forEach(sessions::add);
            }
        }
        return sessions;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sessions")
    void everySessionGoesAsShown(Session session) throws Exception {
        String shown = session.shown();
        boolean fails = shown.startsWith(MISTAKE);
        Outcome outcome = Launcher.run("exec", session.machine(), session.commands());
        assertThat(Sessions.comparable(outcome.out()))
                .as(session.page())
                .isEqualTo(fails ? "" : Sessions.comparable(shown));
        assertThat(outcome.err()).as(session.page()).startsWith(fails ? shown : "");
        assertThat(outcome.exit()).isEqualTo(fails ? 1 : 0);
    }
}
