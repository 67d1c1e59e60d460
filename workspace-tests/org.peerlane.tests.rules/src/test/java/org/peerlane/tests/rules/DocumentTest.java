package org.peerlane.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Rules that a document defines")
class DocumentTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "- **DB-32** begin waits; DB-32",
                "- **P2-9** [OBS] counts; P2-9",
                "- PC-17 Decode only when; PC-17",
                "  - PC-17a a rule below a rule; PC-17a",
                "| CK-1 [F] | No write | general |; CK-1",
                "| **BG-3** | underflow | check |; BG-3",
                "| T-12 | moves | data equal |; sample-doc:T-12",
                "- T-7 Two devices; sample-doc:T-7",
                "- **DB-1, DB-2** both; DB-1 DB-2",
                "- PC-1, PC-2 and PC-4 all; PC-1 PC-2 PC-4",
                "- **DB-8..DB-11** a range; DB-8 DB-9 DB-10 DB-11",
                "| CK-1, CK-3 [W] | two | |; CK-1 CK-3",
            })
    void anIdThatOpensAnItemOrFillsAFirstCellDefinesARule(String line, String ids) {
        assertThat(ids(line)).isEqualTo(ids);
        assertThat(read(line).problems()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "The order is that of DB-11.",
                "- see DB-11 for the order",
                "- **exporter**: driver that owns the memory (DB-4)",
                "| 012 | invalid CMB use | NV-98 | EIO |",
                "| see DB-11 | order |",
                "DB-12 in running text",
                "1. DB-13 in a numbered list of steps",
            })
    void aMentionDefinesNothing(String line) {
        assertThat(ids(line)).isEmpty();
        assertThat(read(line).problems()).isEmpty();
    }

    @Test
    void whatStandsInACodeBlockDefinesNothing() {
        assertThat(ids("```", "- **DB-1** not a rule", "```", "- **DB-2** a rule"))
                .isEqualTo("DB-2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "- **DB-3x9** x",
                "- **DB-032** x",
                "- DB–7 x",
                "- DB_7 x",
                "| CK-1x2 | x |"
            })
    void anIdThatIsAlmostOneIsReportedWithItsLine(String line) {
        Document document = read("intro", line);

        assertThat(document.definitions()).isEmpty();
        assertThat(document.problems()).singleElement().asString().startsWith("sample-doc.md:2: ");
    }

    @Test
    void aRangeThatRunsBackwardsIsReported() {
        assertThat(read("- **DB-9..DB-3** x").problems())
                .singleElement()
                .asString()
                .contains("DB-9..DB-3");
    }

    @Test
    void aRuleKnowsItsChapterItsSectionAndItsLine() {
        Definition rule =
                read("# Title", "## 4. Moves", "### 4.2 Exporter side", "", "- **DY-5** x")
                        .definitions()
                        .getFirst();

        assertThat(rule.chapter()).isEqualTo("4. Moves");
        assertThat(rule.section()).isEqualTo("4.2 Exporter side");
        assertThat(rule.place()).isEqualTo("sample-doc.md:5");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "- **DB-1** plain; ''",
                "- **P2-9** [OBS] in 7.0; OBS",
                "- **IO-1** [OBS, 7.0] x; OBS",
                "- **RW-27** needs an answer [I, from notes].; I",
                "- **FE-64** sharper [2nd]: x; 2nd",
                "- **VF-43** [PROP] x [7.2]; '7.2 PROP'",
                "| CK-34 [F] | pool | M. Brost [2nd] | x |; '2nd F'",
                "- **DB-2** an array a[i] and [Mb]; ''",
            })
    void whatTheTextSaysOfARulesStandingIsItsTags(String line, String tags) {
        assertThat(String.join(" ", read(line).definitions().getFirst().tags())).isEqualTo(tags);
    }

    @Test
    void tagsComeFromLaterLinesOfTheItemElseFromSectionOrChapter() {
        Document document =
                read(
                        "## 9. Path [P throughout]",
                        "### 9.1 Names",
                        "- **RW-1** from the chapter",
                        "- **RW-2** from",
                        "  its second line [D]",
                        "### 9.2 Wire [2nd]",
                        "- **RW-3** from the section");

        assertThat(document.definitions())
                .extracting(rule -> String.join(" ", rule.tags()))
                .containsExactly("P", "D", "2nd");
    }

    private static Document read(String... lines) {
        return Document.read("sample-doc", List.of(lines));
    }

    private static String ids(String... lines) {
        return String.join(
                " ", read(lines).definitions().stream().map(rule -> rule.id().toString()).toList());
    }
}
