package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.peerlane.tests.endtoend.Launcher.Outcome;

@DisplayName("./peerlane")
class LauncherTest {
    @TempDir Path folder;

    @Test
    void helpNamesEveryVerb() throws Exception {
        Outcome outcome = Launcher.run("help");
        assertThat(outcome.exit()).isZero();
        assertThat(outcome.out())
                .contains("run", "exec", "test", "bench", "rules", "guards", "help");
    }

    @Test
    void anUnknownVerbIsOneSentenceAndExit2() throws Exception {
        Outcome outcome = Launcher.run("fly");
        assertThat(outcome.exit()).isEqualTo(2);
        assertThat(outcome.err().lines()).singleElement().asString().contains("fly");
    }

    @Test
    void anUnknownMachineIsOneSentenceThatNamesTheKnownOnes() throws Exception {
        Outcome outcome = Launcher.run("exec", "nosuch", "echo ran");
        assertThat(outcome.exit()).isNotZero();
        assertThat(outcome.err()).contains("nosuch").contains("edu").contains("demo");
    }

    @Test
    void aWrongJdkIsOneSentence() throws Exception {
        Outcome outcome =
                Launcher.run(
                        folder,
                        Map.of("PEERLANE_JAVA_HOME", folder.toString()),
                        "exec",
                        "edu",
                        "echo ran");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.err().lines())
                .singleElement()
                .asString()
                .contains(folder.toString())
                .contains("25");
    }

    @Test
    void leavesNothingInThePersonsFolder() throws Exception {
        Launcher.run(folder, Map.of(), "exec", "edu", "echo ran");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }
}
