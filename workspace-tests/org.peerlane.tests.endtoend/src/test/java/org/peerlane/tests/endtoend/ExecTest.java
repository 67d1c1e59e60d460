package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.peerlane.tests.endtoend.Launcher.Outcome;

@DisplayName("./peerlane exec")
class ExecTest {
    @TempDir Path folder;

    private static String sha256(Path file) throws Exception {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    /** The board that the file's text stands for, run with one command. */
    private Outcome onBoard(String board, String command) throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve("board.json"), board);
        return Launcher.run(
                folder,
                Map.of("PEERLANE_JAVA_OPTS", "-Dpeerlane.board=" + file),
                "exec",
                "edu",
                command);
    }

    @Test
    void copiesTheReadmeAndPrintsTwoEqualSums() throws Exception {
        Outcome outcome = Launcher.run("exec", "edu", "edu:copy README.md");
        String sum = sha256(Launcher.HOME.resolve("README.md"));
        assertThat(outcome.exit()).as(outcome.err()).isZero();
        assertThat(outcome.out().split(sum, -1)).as(outcome.out()).hasSize(3);
    }

    @Test
    void takesAFileNameFromTheFolderThatThePersonIsIn() throws Exception {
        Files.writeString(folder.resolve("mine.txt"), "hello");
        Outcome outcome = Launcher.run(folder, Map.of(), "exec", "edu", "edu:copy mine.txt");
        assertThat(outcome.exit()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains(sha256(folder.resolve("mine.txt")));
    }

    @Test
    void aMissingFileIsOneLineAndExit1() throws Exception {
        Outcome outcome = Launcher.run("exec", "edu", "edu:copy no-such-file");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.err().lines()).singleElement().asString().contains("no-such-file");
    }

    @Test
    void aFolderIsOneLineAndExit1() throws Exception {
        Outcome outcome = Launcher.run("exec", "edu", "edu:copy docs");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.err().lines()).singleElement().asString().contains("docs");
    }

    @Test
    void anUnknownCommandIsExit1() throws Exception {
        Outcome outcome = Launcher.run("exec", "edu", "edu:fly");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.err()).contains("edu:fly");
    }

    @Test
    void wrongArgumentsAreOneLineWithTheUsageAndExit1() throws Exception {
        Outcome outcome = Launcher.run("exec", "edu", "bus:reset edu0 flr now");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.err().lines())
                .containsExactly(
                        "peerlane: EINVAL: bus:reset: given 'edu0' 'flr' 'now';"
                                + " usage: bus:reset FUNCTION [METHOD]");
    }

    @Test
    void theFirstFailureEndsTheScript() throws Exception {
        Outcome outcome =
                Launcher.run("exec", "edu", "echo before; edu:copy no-such-file; echo after");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.out()).contains("before").doesNotContain("after");
    }

    @Test
    void aSyntaxErrorInTheBoardNamesItsPlaceAndNothingRuns() throws Exception {
        Outcome outcome =
                onBoard(
                        """
                        {
                          "org.peerlane.machine": { "name": "broken" },
                          "org.peerlane.memory" { "ramMiB": 64 }
                        }
                        """,
                        "echo ran");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.out()).doesNotContain("ran");
        assertThat(outcome.err()).contains("board.json:3:");
    }

    @Test
    void aWrongKeyCostsThatDeviceOnlyAndSaysWhatWasExpected() throws Exception {
        Outcome outcome =
                onBoard(
                        """
                        {
                          "org.peerlane.machine": { "name": "two" },
                          "org.peerlane.memory": { "ramMiB": 64 },
                          "org.peerlane.bus.pcie": { },
                          "org.peerlane.bus.pcie.slot~edu0":
                            { "device": "edu", "address": "00:04.0", "device.dmaMaskBit": 28 },
                          "org.peerlane.bus.pcie.slot~edu1":
                            { "device": "edu", "address": "00:05.0" }
                        }
                        """,
                        "peerlane:status");
        assertThat(outcome.exit()).as(outcome.err()).isZero();
        assertThat(outcome.err() + outcome.out())
                .contains("board.json:6:")
                .contains("dmaMaskBit")
                .contains("dmaMaskBits");
        assertThat(outcome.out()).contains("00:05.0").doesNotContain("00:04.0");
    }

    @Test
    void aMissingBoardIsNamed() throws Exception {
        Outcome outcome =
                Launcher.run(
                        folder,
                        Map.of("PEERLANE_JAVA_OPTS", "-Dpeerlane.board=/no/such/board.json"),
                        "exec",
                        "edu",
                        "echo ran");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.err()).contains("/no/such/board.json");
    }
}
