package org.peerlane.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

@DisplayName("Results of the tests of a rule")
class RuleRecorderTest {
    private static final String SWITCH = RuleRecorderTest.class.getName() + ".running";

    @TempDir Path folder;
    private String before = "";

    @BeforeEach
    void sendResultsToTheFolder() {
        before = System.getProperty(RuleResults.FOLDER_PROPERTY, RuleResults.FOLDER);
        System.setProperty(RuleResults.FOLDER_PROPERTY, folder.toString());
        System.setProperty(SWITCH, "yes");
    }

    @AfterEach
    void sendThemWhereTheyWent() {
        System.setProperty(RuleResults.FOLDER_PROPERTY, before);
        System.clearProperty(SWITCH);
    }

    @Test
    void everyOutcomeOfEachRuleIsWritten() throws IOException {
        assertThat(run(Plain.class))
                .containsExactly(
                        "sample:XX-1\t" + test(Plain.class, "passes") + "\tpassed\t1\tpasses()",
                        "sample:XX-2\t" + test(Plain.class, "fails") + "\tfailed\t1\tfails()",
                        "sample:XX-2\t" + test(Plain.class, "passes") + "\tpassed\t1\tpasses()",
                        "sample:XX-3\t"
                                + test(Plain.class, "doesNotApply")
                                + "\taborted\t1\tdoesNotApply()",
                        "sample:XX-4\t" + test(Plain.class, "isOff") + "\tdisabled\t1\tisOff()");
    }

    @Test
    void eachInvocationOfATemplateCounts() throws IOException {
        assertThat(run(Repeated.class))
                .containsExactly(
                        "sample:XX-5\t"
                                + test(Repeated.class, "oddOnesPass")
                                + "\tfailed\t1\t[3] number=4",
                        "sample:XX-5\t"
                                + test(Repeated.class, "oddOnesPass")
                                + "\tpassed\t2\t[1] number=1");
    }

    @Test
    void eachDynamicTestCountsAndSoDoesAFactoryThatFails() throws IOException {
        assertThat(run(Dynamic.class))
                .containsExactly(
                        "sample:XX-6\t" + test(Dynamic.class, "two") + "\tfailed\t1\tbad",
                        "sample:XX-6\t" + test(Dynamic.class, "two") + "\tpassed\t1\tgood",
                        "sample:XX-7\t" + test(Dynamic.class, "none") + "\tfailed\t1\tnone()");
    }

    @Test
    void aRuleOnAClassCountsForItsNestedAndDerivedTests() throws IOException {
        String inherited = test(Derived.class, "inherited") + "\tpassed\t1\tinherited()";
        String nested = test(Derived.Inner.class, "nested") + "\tpassed\t1\tnested()";

        assertThat(run(Derived.class))
                .containsExactlyInAnyOrder(
                        "sample:XX-8\t" + inherited,
                        "sample:XX-11\t" + inherited,
                        "sample:XX-8\t" + nested,
                        "sample:XX-11\t" + nested,
                        "sample:XX-9\t" + nested);
    }

    @Test
    void aClassThatFailsAsAWholeFailsItsRules() throws IOException {
        assertThat(run(Broken.class))
                .containsExactly(
                        "sample:XX-10\t"
                                + test(Broken.class, "*")
                                + "\tfailed\t1\tRuleRecorderTest$Broken");
    }

    @Test
    void aRunReplacesTheResultsOfTheRunBefore() throws IOException {
        Path file = folder.resolve(Plain.class.getName() + ".tsv");
        Files.writeString(file, "left from an earlier run\n");

        run(Plain.class);

        assertThat(file).content().doesNotContain("earlier run").startsWith(RuleResults.HEADER);
    }

    private static String test(Class<?> type, String method) {
        return type.getName() + "#" + method;
    }

    /** Runs a class of samples; {@return its result lines without the header}. */
    private List<String> run(Class<?> samples) throws IOException {
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(samples))
                                .build());
        List<String> lines = Files.readAllLines(folder.resolve(samples.getName() + ".tsv"));
        return lines.subList(1, lines.size());
    }

    /** Samples run only from here: a build that meets them by their names skips them. */
    private static void onlyFromHere() {
        assumeTrue(System.getProperty(SWITCH) != null);
    }

    static class Plain {
        @Test
        @Rule("sample:XX-1")
        @Rule("sample:XX-2")
        void passes() {
            onlyFromHere();
        }

        @Test
        @Rule("sample:XX-2")
        void fails() {
            onlyFromHere();
            throw new AssertionError("planted");
        }

        @Test
        @Rule("sample:XX-3")
        void doesNotApply() {
            assumeTrue(false);
        }

        @Test
        @Disabled("planted")
        @Rule("sample:XX-4")
        void isOff() {}

        @Test
        void hasNoRule() {}
    }

    static class Repeated {
        @ParameterizedTest
        @ValueSource(ints = {1, 3, 4})
        @Rule("sample:XX-5")
        void oddOnesPass(int number) {
            onlyFromHere();
            assertThat(number % 2).isOne();
        }
    }

    static class Dynamic {
        @TestFactory
        @Rule("sample:XX-6")
        Stream<DynamicTest> two() {
            onlyFromHere();
            return Stream.of(
                    dynamicTest("good", () -> {}),
                    dynamicTest(
                            "bad",
                            () -> {
                                throw new AssertionError("planted");
                            }));
        }

        @TestFactory
        @Rule("sample:XX-7")
        Stream<DynamicTest> none() {
            onlyFromHere();
            throw new IllegalStateException("planted");
        }
    }

    @Rule("sample:XX-8")
    abstract static class Contract {
        @Test
        void inherited() {
            onlyFromHere();
        }
    }

    @Rule("sample:XX-11")
    static class Derived extends Contract {
        @Nested
        class Inner {
            @Test
            @Rule("sample:XX-9")
            void nested() {}
        }
    }

    @Rule("sample:XX-10")
    static class Broken {
        @BeforeAll
        static void prepare() {
            onlyFromHere();
            throw new IllegalStateException("planted");
        }

        @Test
        void neverRuns() {}
    }
}
