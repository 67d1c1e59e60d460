package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That no guard of {@code ./peerlane guards} rots; what they prove takes that command. */
@DisplayName("Guards and the tests that notice when they are gone")
class GuardsTest {
    private static final Path HOME = home();

    /** How an exploration is declared: how many schedules, then rules, then the method. */
    private static final Pattern EXPLORED =
            Pattern.compile(
                    "@Explore\\(schedules = (\\w+)\\)\\s+(?:@\\w+\\(\"[^\"]*\"\\)\\s+)*void (\\w+)");

    /** Where guards are, and where each long exploration has one. */
    private static final List<String> MODULES =
            List.of(
                    "workspace-tests/org.peerlane.tests.fabric",
                    "bundles/org.peerlane.bus.pcie",
                    "bundles/org.peerlane.iommu.core",
                    "bundles/org.peerlane.memory.core",
                    "bundles/org.peerlane.dmabuf.core",
                    "emulated-devices/org.peerlane.device.gpu");

    private static Path home() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(folder.resolve(Guard.FOLDER))) {
            folder = folder.getParent();
        }
        return folder;
    }

    static List<Guard> guards() {
        return Guard.all(HOME);
    }

    @ParameterizedTest
    @MethodSource("guards")
    void isInTheCodeExactlyOnceAndNamesTestsThatExist(Guard guard) throws IOException {
        assertThat(guard.places()).isNotEmpty();
        for (Guard.Place place : guard.places()) {
            assertThat(Guard.found(HOME, place)).as("%s", place).isEqualTo(1);
            assertThat(place.after()).isNotEqualTo(place.before());
        }
        assertThat(guard.tests()).isNotEmpty();
        for (String test : guard.tests()) {
            String method = test.substring(test.indexOf('#') + 1);
            assertThat(Files.readString(source(test))).as(test).contains("void " + method + "(");
        }
    }

    @Test
    void everyLongExplorationHasAGuardThatItIsSeenToMiss() throws IOException {
        Set<String> proved =
                guards().stream().flatMap(g -> g.tests().stream()).collect(Collectors.toSet());
        List<String> unproved = new ArrayList<>();
        for (Path root : roots()) {
            for (Path file : javaFiles(root)) {
                Matcher explored = EXPLORED.matcher(Files.readString(file));
                while (explored.find()) {
                    String in = root.relativize(file).toString().replaceFirst("\\.java$", "");
                    String test = in.replace('/', '.') + "#" + explored.group(2);
                    if (Set.of("10_000", "SCHEDULES").contains(explored.group(1))
                            && !proved.contains(test)) {
                        unproved.add(test);
                    }
                }
            }
        }
        assertThat(unproved).isEmpty();
    }

    private static Path source(String test) {
        String file = test.substring(0, test.indexOf('#')).replace('.', '/') + ".java";
        return roots().stream()
                .map(root -> root.resolve(file))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no source of " + test));
    }

    private static List<Path> roots() {
        return MODULES.stream()
                .map(module -> HOME.resolve(module).resolve("src/test/java"))
                .toList();
    }

    private static List<Path> javaFiles(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return all.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }
}
