package org.peerlane.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.objectweb.asm.AnnotationVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

@DisplayName("How the rules stand")
class LedgerTest {
    private static final FileTime COMPILED = FileTime.from(Instant.parse("2026-01-01T10:00:00Z"));
    private static final FileTime RUN = later(COMPILED);

    @TempDir Path root;

    @BeforeEach
    void layOutAProject() throws IOException {
        write(
                "docs/reference/sample.md",
                "## 1. Export\n- **DB-1** a\n- **DB-2** b\n- **DB-3** c\n## 2. Moves\n- DY-1 d\n");
    }

    @Test
    void aRuleWithAPassingTestIsTested() throws IOException {
        compile("SomeTest", "holds", "DB-1");
        result("SomeTest", "DB-1", "SomeTest#holds", "passed", RUN);

        assertThat(standing("DB-1")).isEqualTo("tested\tSomeTest#holds");
        assertThat(run("--tsv").code).isZero();
    }

    @Test
    void oneFailedInvocationMakesTheRuleFail() throws IOException {
        compile("SomeTest", "holds", "DB-1");
        result("SomeTest", "DB-1", "SomeTest#holds", "passed", RUN);
        result("OtherTest", "DB-1", "SomeTest#holds", "failed", RUN);

        assertThat(standing("DB-1")).isEqualTo("failing\tSomeTest#holds (first)");
        assertThat(run().code).isOne();
        assertThat(run().out)
                .contains("failing:\n  sample.md, 1. Export\n    DB-1  SomeTest#holds");
    }

    @ParameterizedTest
    @CsvSource({"aborted", "disabled"})
    void aTestThatDidNotRunThroughLeavesItsRuleMissing(String outcome) throws IOException {
        compile("SomeTest", "holds", "DB-1");
        result("SomeTest", "DB-1", "SomeTest#holds", outcome, RUN);

        assertThat(standing("DB-1")).isEqualTo("missing\tSomeTest#holds was " + outcome);
    }

    @Test
    void aTestWithoutAResultIsSaidNotToHaveRun() throws IOException {
        compile("SomeTest", "holds", "DB-1");

        assertThat(standing("DB-1")).isEqualTo("missing\tSomeTest#holds was not run");
    }

    @Test
    void aResultCountsOnlyWhileItsTestIsThereNamesTheRuleAndIsNotCompiledAnew() throws IOException {
        compile("SomeTest", "holds", "DB-1");
        result("GoneTest", "DB-1", "GoneTest#holds", "passed", RUN);
        result("SomeTest", "DB-1", "SomeTest#renamed", "passed", RUN);
        assertThat(standing("DB-1")).startsWith("missing");

        result("SomeTest", "DB-2", "SomeTest#holds", "passed", RUN);
        assertThat(standing("DB-2")).startsWith("missing");

        FileTime earlier = FileTime.from(COMPILED.toInstant().minus(Duration.ofHours(1)));
        result("SomeTest", "DB-1", "SomeTest#holds", "passed", earlier);
        assertThat(standing("DB-1")).startsWith("missing");
    }

    @Test
    void aRuleOnAClassCountsForTestsOfDerivedClasses() throws IOException {
        compile("Contract", "java/lang/Object", List.of("DB-3"), "inherited", List.of());
        compile("DerivedTest", "Contract", List.of(), "own", List.of());
        result("DerivedTest", "DB-3", "DerivedTest#inherited", "passed", RUN);

        assertThat(standing("DB-3")).isEqualTo("tested\tDerivedTest#inherited");
    }

    @Test
    void severalRulesOnOneTestAreAllSeen() throws IOException {
        compile("SomeTest", "java/lang/Object", List.of(), "holds", List.of("DB-1", "DY-1"));

        assertThat(standing("DY-1")).contains("SomeTest#holds");
        assertThat(standing("DB-1")).contains("SomeTest#holds");
    }

    @Test
    void aLeftOutRuleIsListedWithItsReason() throws IOException {
        write("docs/reference/left-out.tsv", "# comment\n\nDB-1..DB-2\tno hardware does it\n");

        assertThat(standing("DB-2")).isEqualTo("left-out\tno hardware does it");
        assertThat(standing("DB-3")).isEqualTo("missing\t");
        assertThat(run().code).isZero();
    }

    @Test
    void aTestOfARuleThatDoesNotExistIsNamed() throws IOException {
        compile("SomeTest", "holds", "DB-99");

        assertThat(run().code).isOne();
        assertThat(run().err)
                .isEqualTo(
                        "SomeTest#holds names the rule \"DB-99\", which no document of docs/reference defines\n");
    }

    @Test
    void samplesNameNoRule() throws IOException {
        compile("SomeTest", "holds", "sample:XX-1");

        assertThat(run().code).isZero();
    }

    @Test
    void aRuleThatIsLeftOutAndTestedIsNamed() throws IOException {
        compile("SomeTest", "holds", "DB-1");
        write("docs/reference/left-out.tsv", "DB-1\tno need\n");

        assertThat(run().code).isOne();
        assertThat(run().err)
                .isEqualTo("left-out.tsv leaves DB-1 out, but SomeTest#holds tests it\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "DB-77|x; left-out.tsv:1: \"DB-77\" is no rule of docs/reference",
                "nonsense|x; left-out.tsv:1: \"nonsense\" is no rule of docs/reference",
                "DB-1; left-out.tsv:1: \"DB-1\" has no reason: expected id, tab, reason",
                "DB-1..DB-9|x; left-out.tsv:1: \"DB-9\" is no rule of docs/reference",
                "DB-3..DB-1|x; left-out.tsv:1: \"DB-3..DB-1\" does not lead from a lower id to a higher of one family",
                "DB-1..DY-1|x; left-out.tsv:1: \"DB-1..DY-1\" does not lead from a lower id to a higher of one family",
            })
    void aWrongLineOfTheLeftOutListIsNamed(String line, String sentence) throws IOException {
        write("docs/reference/left-out.tsv", line.replace('|', '\t') + "\n");

        assertThat(run().code).isOne();
        assertThat(run().err.strip()).isEqualTo(sentence);
    }

    @Test
    void aRuleDefinedTwiceIsNamedWithBothPlaces() throws IOException {
        write("docs/reference/second.md", "- **DB-2** again\n");

        assertThat(run().code).isOne();
        assertThat(run().err)
                .isEqualTo("second.md:1: DB-2 is defined a second time, first at sample.md:3\n");
    }

    @Test
    void totalsAreGivenForEachChapterAndDocument() throws IOException {
        compile("SomeTest", "holds", "DB-1");
        result("SomeTest", "DB-1", "SomeTest#holds", "passed", RUN);
        write("docs/reference/left-out.tsv", "DB-3\tno need\n");

        assertThat(run().out.lines().map(line -> line.replaceAll("\\s+", " ")))
                .contains(
                        "sample.md tested failing left-out missing",
                        " 1. Export 1 - 1 1",
                        " 2. Moves - - - 1",
                        " all of sample 1 - 1 2",
                        "all 4 rules 1 - 1 2");
    }

    @Test
    void manyMissingRulesAreListedOnlyWhenAskedFor() throws IOException {
        StringBuilder many = new StringBuilder("## 1. Many\n");
        for (int i = 1; i <= Report.FEW; i++) {
            many.append("- PC-").append(i).append(" x\n");
        }
        write("docs/reference/many.md", many.toString());

        assertThat(run().out).doesNotContain("\nmissing:").contains("--missing");
        assertThat(run("--missing").out).contains("\nmissing:").contains("    PC-40\n");
    }

    @ParameterizedTest
    @CsvSource({"--nonsense", "/nowhere"})
    void aWrongCallIsAnsweredWithOneSentence(String argument) throws IOException {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code =
                RuleReport.run(List.of(argument), stream(new ByteArrayOutputStream()), stream(err));

        assertThat(code).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8).lines()).hasSize(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains(argument);
    }

    private record Answer(int code, String out, String err) {}

    private Answer run(String... options) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.add(root.toString());
        int code = RuleReport.run(arguments, stream(out), stream(err));
        return new Answer(
                code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    /** {@return state and detail of a rule, from the table} */
    private String standing(String id) throws IOException {
        for (String line : run("--tsv").out.lines().toList()) {
            List<String> cells = List.of(line.split("\t", -1));
            if (cells.getFirst().equals(id)) {
                return cells.get(2) + "\t" + cells.get(3);
            }
        }
        throw new AssertionError("no row for " + id);
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void result(String file, String rule, String test, String outcome, FileTime time)
            throws IOException {
        String path = "bundles/x/target/rule-results/" + file + ".tsv";
        String row = "%s\t%s\t%s\t1\tfirst\n".formatted(rule, test, outcome);
        write(path, "rule\ttest\toutcome\tinvocations\tfirst\n" + row);
        Files.setLastModifiedTime(root.resolve(path), time);
    }

    private void compile(String type, String method, String rule) throws IOException {
        compile(type, "java/lang/Object", List.of(), method, List.of(rule));
    }

    /** Writes the class file of a test class with one method. */
    private void compile(
            String type, String above, List<String> onClass, String method, List<String> onMethod)
            throws IOException {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(Opcodes.V25, Opcodes.ACC_ABSTRACT, type, null, above, null);
        for (String rule : onClass) {
            value(writer.visitAnnotation("Lorg/peerlane/testkit/Rule;", true), rule);
        }
        MethodVisitor body = writer.visitMethod(Opcodes.ACC_ABSTRACT, method, "()V", null, null);
        if (onMethod.size() == 1) {
            value(body.visitAnnotation("Lorg/peerlane/testkit/Rule;", true), onMethod.getFirst());
        } else if (!onMethod.isEmpty()) {
            AnnotationVisitor all = body.visitAnnotation("Lorg/peerlane/testkit/Rules;", true);
            AnnotationVisitor array = all.visitArray("value");
            for (String rule : onMethod) {
                value(array.visitAnnotation("", "Lorg/peerlane/testkit/Rule;"), rule);
            }
            array.visitEnd();
            all.visitEnd();
        }
        body.visitEnd();
        writer.visitEnd();
        Path file = root.resolve("bundles/x/target/test-classes/" + type + ".class");
        Files.createDirectories(file.getParent());
        Files.write(file, writer.toByteArray());
        Files.setLastModifiedTime(file, COMPILED);
    }

    private static void value(AnnotationVisitor annotation, String rule) {
        annotation.visit("value", rule);
        annotation.visitEnd();
    }

    private static FileTime later(FileTime time) {
        return FileTime.from(time.toInstant().plus(Duration.ofMinutes(1)));
    }
}
