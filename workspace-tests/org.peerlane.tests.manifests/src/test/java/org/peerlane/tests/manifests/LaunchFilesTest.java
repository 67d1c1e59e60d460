package org.peerlane.tests.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What people launch is what the tests launch, with the tests added. */
@DisplayName("Launch files")
class LaunchFilesTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern BUNDLE =
            Pattern.compile("^\\t([\\w.-]+);version='([^']+)'", Pattern.MULTILINE);

    /** Bundle to version range, as the resolver wrote them. */
    private static TreeMap<String, String> runBundles(String file) throws IOException {
        String text = Files.readString(ROOT.resolve(file));
        String resolved = text.substring(text.indexOf("\n-runbundles:"));
        var bundles = new TreeMap<String, String>();
        BUNDLE.matcher(resolved)
                .results()
                .forEach((MatchResult m) -> bundles.put(m.group(1), m.group(2)));
        return bundles;
    }

    @ParameterizedTest
    @ValueSource(strings = {"bndrun/edu.bndrun", "bndrun/demo.bndrun"})
    void theTestsRunEveryBundleThatPeopleRunInTheSameVersion(String launched) throws IOException {
        TreeMap<String, String> people = runBundles(launched);
        TreeMap<String, String> tests =
                runBundles("workspace-tests/org.peerlane.tests.hotswap/test.bndrun");
        assertThat(people).hasSizeGreaterThan(20);
        assertThat(tests).containsAllEntriesOf(people);
    }

    @Test
    void theTestsIncludeTheFileThatPeopleLaunch() throws IOException {
        assertThat(
                        Files.readString(
                                ROOT.resolve(
                                        "workspace-tests/org.peerlane.tests.hotswap/test.bndrun")))
                .contains("-include: ~../../bndrun/edu.bndrun");
    }
}
