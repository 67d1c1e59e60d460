package org.peerlane.tests.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

@DisplayName("Arrows between bundles")
class ArrowsTest {
    private static final List<BuiltBundle> BUNDLES = BuiltBundle.all();

    @Test
    void everyBundleHasARole() {
        assertThat(BUNDLES)
                .isNotEmpty()
                .allSatisfy(bundle ->
                        assertThat(Arrows.role(bundle.name()))
                                .as(
                                        "role of %s: give it one in Arrows.java of org.peerlane.tests.manifests",
                                        bundle)
                                .isNotNull());
    }

    /** Else Maven may test before the bundle is built. */
    @Test
    void everyBundleIsADependencyOfThisModule() throws Exception {
        String pom = Files.readString(Path.of("pom.xml"));

        assertThat(BUNDLES)
                .allSatisfy(bundle ->
                        assertThat(pom)
                                .as("pom.xml of org.peerlane.tests.manifests lists %s", bundle)
                                .contains("<artifactId>" + bundle + "</artifactId>"));
    }

    @Test
    void noManifestImportsAgainstTheArrows() {
        List<String> broken = new ArrayList<>();
        for (BuiltBundle bundle : BUNDLES) {
            Header.clauses(bundle.header("Import-Package"))
                    .forEach((name, parameters) -> {
                        boolean optional = "optional".equals(parameters.get("resolution:"));
                        check(bundle, name, optional, "the manifest of", broken);
                    });
        }
        assertThat(broken).isEmpty();
    }

    @Test
    void noByteCodeRefersToAnotherBundleAgainstTheArrows() {
        List<String> broken = new ArrayList<>();
        for (BuiltBundle bundle : BUNDLES) {
            bundle.classes()
                    .forEach((type, bytes) -> {
                        for (String name : References.packages(bytes)) {
                            check(bundle, name, true, type + " of", broken);
                        }
                    });
        }
        assertThat(broken).isEmpty();
    }

    @Test
    void onlyApisRegistersAndTheTestKitExportAndOnePackageEach() {
        assertThat(BUNDLES)
                .allSatisfy(bundle -> {
                    Arrows.Role role = Arrows.role(bundle.name());
                    Set<String> expected =
                            role != null && Arrows.exports(role) ? Set.of(bundle.name()) : Set.of();
                    assertThat(Header.clauses(bundle.header("Export-Package")).keySet())
                            .as("exports of %s", bundle)
                            .isEqualTo(expected);
                });
    }

    @ParameterizedTest
    @CsvSource({
        "trace.api, exec.api, true",
        "memory.api, kernel.api, true",
        "bus.api, registers, true",
        "registers, bus.api, false",
        "kernel.api, exec.api, false",
        "bus.api, dmabuf.api, false",
        "memory.core, block.api, true",
        "board, exec.live, false",
        "bus.pcie, memory.core, false",
        "device.edu, bus.api, true",
        "device.edu, registers, true",
        "device.edu, driver.edu, false",
        "importer.nvme, device.nvme, false",
        "shell, bus.pcie, false",
        "trace.ring, trace.log, false",
        "testkit, bus.api, true",
        "testkit, exec.sim, true",
        "testkit, bus.pcie, false",
        "device.edu, testkit, false",
        "testkit.dmabuf, dmabuf.api, true",
        "testkit.dmabuf, dmabuf.core, false",
        "exporter.heap, testkit.dmabuf, false",
        "device.edu, gadget, false",
    })
    void anImportIsJudgedByTheRolesOfBothEnds(String importer, String imported, boolean allowed) {
        String broken = Arrows.broken("org.peerlane." + importer, "org.peerlane." + imported, true);

        assertThat(broken == null).as("%s", broken).isEqualTo(allowed);
    }

    @Test
    void theTestKitMayNotInsistOnTheSimulation() {
        assertThat(Arrows.broken("org.peerlane.testkit", "org.peerlane.exec.sim", false))
                .contains("without org.peerlane.exec.sim");
    }

    @Test
    void referencesAreSeenInDescriptorsSignaturesAndInstructions() {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(Opcodes.V25, 0, "org/peerlane/x/Planted", null, "java/lang/Object", null);
        writer.visitField(0, "a", "[Lorg/peerlane/memory/core/Ram;", null, null);
        writer.visitField(
                0, "b", "Ljava/util/List;", "Ljava/util/List<Lorg/peerlane/board/Board;>;", null);
        MethodVisitor body = writer.visitMethod(Opcodes.ACC_STATIC, "c", "()V", null, null);
        body.visitCode();
        body.visitMethodInsn(
                Opcodes.INVOKESTATIC, "org/peerlane/bus/pcie/Bus$Inner", "d", "()V", false);
        body.visitInsn(Opcodes.RETURN);
        body.visitMaxs(0, 0);
        body.visitEnd();
        body = writer.visitMethod(0, "text", "()V", null, null);
        body.visitCode();
        body.visitLdcInsn("org.peerlane.shell");
        body.visitEnd();

        assertThat(References.packages(writer.toByteArray()))
                .containsExactly(
                        "org.peerlane.board",
                        "org.peerlane.bus.pcie",
                        "org.peerlane.memory.core",
                        "org.peerlane.x");
    }

    @Test
    void aHeaderIsReadWithItsQuotes() {
        assertThat(Header.clauses("a.b;version=\"[1.0,2)\";resolution:=optional,c;uses:=\"d,e\""))
                .isEqualTo(
                        Map.of(
                                "a.b",
                                Map.of("version", "[1.0,2)", "resolution:", "optional"),
                                "c",
                                Map.of("uses:", "d,e")));
    }

    private static void check(
            BuiltBundle bundle, String name, boolean optional, String what, List<String> broken) {
        if (!name.startsWith(Arrows.PREFIX) || bundle.holds(name)) {
            return;
        }
        String owner = owner(name);
        String arrow = Arrows.broken(bundle.name(), owner, optional);
        if (arrow == null && !name.equals(owner)) {
            arrow = "the package is private to " + owner;
        }
        if (arrow != null) {
            broken.add("%s %s imports %s: %s".formatted(what, bundle, name, arrow));
        }
    }

    /** {@return the bundle a package lies in: the longest name that leads the package's} */
    private static String owner(String name) {
        Set<String> owners = new TreeSet<>();
        for (BuiltBundle bundle : BUNDLES) {
            if (isIn(name, bundle.name())) {
                owners.add(bundle.name());
            }
        }
        return owners.isEmpty() ? name : List.copyOf(owners).getLast();
    }

    private static boolean isIn(String name, String bundle) {
        return name.equals(bundle) || name.startsWith(bundle + ".");
    }
}
