package org.peerlane.tests.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

@DisplayName("Manifests and jars")
class HygieneTest {
    static final List<BuiltBundle> BUNDLES = BuiltBundle.all();

    @ParameterizedTest
    @FieldSource("BUNDLES")
    void aBundleSaysWhatItIs(BuiltBundle bundle) {
        assertThat(
                        List.of(
                                "Bundle-Name",
                                "Bundle-Description",
                                "Bundle-Category",
                                "Bundle-License",
                                "Bundle-Version"))
                .allSatisfy(header -> assertThat(bundle.header(header)).as(header).isNotBlank());
    }

    @ParameterizedTest
    @FieldSource("BUNDLES")
    void folderSymbolicNameAndRootPackageAreOne(BuiltBundle bundle) {
        assertThat(Header.clauses(bundle.header("Bundle-SymbolicName")).keySet())
                .containsExactly(bundle.name());
        assertThat(bundle.name()).startsWith(Arrows.PREFIX);
        String folder = bundle.name().replace('.', '/') + "/";
        assertThat(bundle.classes().keySet())
                .allSatisfy(type -> assertThat(type).startsWith(folder));
    }

    @ParameterizedTest
    @FieldSource("BUNDLES")
    void everyExportedPackageHasAVersion(BuiltBundle bundle) {
        assertThat(Header.clauses(bundle.header("Export-Package")))
                .allSatisfy((name, parameters) ->
                        assertThat(parameters).as(name).containsKey("version"));
    }

    @ParameterizedTest
    @FieldSource("BUNDLES")
    void annotationsForTheCompilerAreNotImported(BuiltBundle bundle) {
        assertThat(Header.clauses(bundle.header("Import-Package")).keySet())
                .noneMatch(name -> name.startsWith("org.jspecify"));
    }

    @ParameterizedTest
    @FieldSource("BUNDLES")
    void twoBuildsMakeTheSameJar(BuiltBundle bundle) throws IOException {
        assertThat(bundle.manifest().keySet().stream().map(Object::toString))
                .doesNotContain("Bnd-LastModified", "Built-By", "Build-Jdk", "Tool");
        Assumptions.assumeTrue(Files.exists(bundle.jar()), "not packed yet");
        Set<LocalDateTime> times = new TreeSet<>();
        try (ZipFile zip = new ZipFile(bundle.jar().toFile())) {
            zip.stream().map(ZipEntry::getTimeLocal).forEach(times::add);
        }
        assertThat(times).containsExactly(outputTimestamp());
    }

    private static LocalDateTime outputTimestamp() throws IOException {
        Matcher timestamp =
                Pattern.compile("<project.build.outputTimestamp>(.*)Z</")
                        .matcher(Files.readString(BuiltBundle.ROOT.resolve("pom.xml")));
        assertThat(timestamp.find()).as("pom.xml sets project.build.outputTimestamp").isTrue();
        return LocalDateTime.parse(timestamp.group(1));
    }
}
