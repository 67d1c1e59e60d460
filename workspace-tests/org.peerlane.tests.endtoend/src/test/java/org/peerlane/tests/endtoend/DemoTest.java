package org.peerlane.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.peerlane.tests.endtoend.Launcher.Outcome;

@DisplayName("The demo machine")
class DemoTest {
    private static final int LONG_BYTES = 32 << 20;

    @TempDir Path folder;

    /** A pipe runs both its ends at once, so the first one pulls while the second one copies. */
    @Test
    void copiesThroughTheIommuWhileAnotherDeviceIsPulledAndPluggedInAgain() throws Exception {
        byte[] data = new byte[LONG_BYTES];
        new Random(1).nextBytes(data);
        Files.write(folder.resolve("long"), data);
        Outcome outcome =
                Launcher.run(
                        folder,
                        Map.of(),
                        "exec",
                        "demo",
                        "iommu:domains; bus:pull edu3 | edu:copy long; echo pulled; edu:list;"
                                + " bus:plug edu3; echo plugged; edu:list;"
                                + " bus:pull edu0; bus:eject edu1; bus:pull edu2;"
                                + " echo alone; edu:list; edu:copy long; iommu:faults;"
                                + " iommu:domains");
        String out = outcome.out();
        assertThat(outcome.exit()).as(out + outcome.err()).isZero();
        String first = out.substring(0, out.indexOf("pulled"));
        String pulled = out.substring(out.indexOf("pulled"), out.indexOf("plugged"));
        String plugged = out.substring(out.indexOf("plugged"), out.indexOf("alone"));
        String alone = out.substring(out.indexOf("alone"));
        assertThat(first).contains("paging").contains(LONG_BYTES + " bytes").contains(" equal");
        assertThat(pulled).contains("edu0", "edu1", "edu2").doesNotContain("edu3");
        assertThat(plugged).contains("edu0", "edu1", "edu2", "edu3");
        assertThat(alone)
                .as("the one that came back does the work")
                .contains("edu3")
                .doesNotContain("edu0", "edu1", "edu2")
                .contains(" equal")
                .contains("no faults");
    }

    @Test
    void aMistakeIsOneLineThatNamesWhatWouldHaveBeenRight() throws Exception {
        Outcome outcome = Launcher.run("exec", "demo", "p2p:why edu0 edu1; p2p:why edu0 edu9");
        assertThat(outcome.exit()).isEqualTo(1);
        assertThat(outcome.out()).containsPattern("reason +ACS of sw0\\.\\d redirects");
        assertThat(outcome.err().lines())
                .singleElement()
                .asString()
                .startsWith("peerlane: ENODEV: there is no function 'edu9'")
                .contains("edu3");
    }
}
