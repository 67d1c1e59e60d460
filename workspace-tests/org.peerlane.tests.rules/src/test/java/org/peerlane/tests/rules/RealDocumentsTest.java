package org.peerlane.tests.rules;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The counts were taken with grep: a rule that the reader loses or invents shows here. */
@DisplayName("The rules of docs/reference")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RealDocumentsTest {
    private static final Path REFERENCE = Path.of("../../docs/reference");
    private final Map<String, Document> documents = new TreeMap<>();
    private final Map<String, Definition> rules = new TreeMap<>();

    @BeforeAll
    void read() throws IOException {
        for (String name : List.of("dma-buf", "iommufd-vfio", "pcie-nvme-vfio-user")) {
            Document document =
                    Document.read(name, Files.readAllLines(REFERENCE.resolve(name + ".md")));
            documents.put(name, document);
            document.definitions().forEach(rule -> rules.put(rule.id().toString(), rule));
        }
    }

    @Test
    void theDocumentsAreAllThatTheFolderHolds() throws IOException {
        try (Stream<Path> files = Files.list(REFERENCE)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .filteredOn(name -> name.endsWith(".md") && !name.equals("README.md"))
                    .map(name -> name.replace(".md", ""))
                    .containsExactlyInAnyOrderElementsOf(documents.keySet());
        }
    }

    @Test
    void noIdIsMalformedAndNoneIsDefinedTwice() {
        assertThat(documents.values()).allSatisfy(d -> assertThat(d.problems()).isEmpty());
        assertThat(documents.values().stream().mapToInt(d -> d.definitions().size()).sum())
                .isEqualTo(rules.size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "dma-buf; CK 59 DB 54 DY 29 FE 37 GX 15 HP 17 IC 8 PP 13 RK 26 RV 22 RW 23 SM 2 T 37 UA 3 UB 5",
                "iommufd-vfio; BG 31 CV 13 ID 30 INV 8 IO 92 NI 2 P2 10 PG 48 PT 43 VF 69",
                "pcie-nvme-vfio-user; ER 42 EX 17 FF 19 IM 23 NV 99 OQ 8 PC 78 T 10 UR 54 VU 70"
            })
    void eachFamilyIsReadWhole(String document, String expected) {
        Map<String, Integer> counts = new TreeMap<>();
        for (Definition rule : requireNonNull(documents.get(document)).definitions()) {
            counts.merge(rule.id().family(), 1, Integer::sum);
        }
        StringBuilder found = new StringBuilder();
        counts.forEach(
                (family, count) -> found.append(family).append(' ').append(count).append(' '));
        assertThat(found.toString().strip()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CK-1| 11.1 Lifetime| F",
                "DB-1| 1.1 Export, fd, references (core)| ''",
                "DY-40| 4.5 `dma_resv_reserve_fences` failing inside the callback| I",
                "FE-64| 3.4 Christian König's objection and what satisfies it (König-Nov25; PB threads)| 2nd",
                "GX-21| 8.3 xe (xe)| I",
                "SM-2| 13.5 Read/write registration (both strategies)| I",
                "dma-buf:T-37| 12. Ready-made end-to-end scenarios| ''",
                "BG-31| 7. Known bugs, CVEs and review findings as run-time-checkable rules| ''",
                "INV-8| 7. Known bugs, CVEs and review findings as run-time-checkable rules| ''",
                "P2-9| 6. PCI peer-to-peer (P2PDMA) as used by VFIO| OBS",
                "VF-67| 5.8 Feature DMA_BUF (11): export a BAR| ''",
                "ER-48| 7.3 Defect classes, each with a test idea| ''",
                "OQ-6| 9. Open questions (OQ)| ''",
                "EX-20| 10.5 Peer-to-peer scenarios (expected results)| ''",
                "pcie-nvme-vfio-user:T-10| 8. Minimum test matrix| ''",
            })
    void aRuleStandsInItsSectionWithItsTags(String id, String section, String tags) {
        assertThat(rules).containsKey(id);
        Definition rule = requireNonNull(rules.get(id));
        assertThat(rule.section()).isEqualTo(section);
        assertThat(String.join(" ", rule.tags())).isEqualTo(tags);
    }

    @Test
    void everyRuleThatIsLeftOutExists() throws IOException {
        TreeMap<RuleId, Definition> byId = new TreeMap<>();
        rules.values().forEach(rule -> byId.put(rule.id(), rule));

        LeftOut leftOut = LeftOut.read(Files.readAllLines(REFERENCE.resolve("left-out.tsv")), byId);

        assertThat(leftOut.problems()).isEmpty();
        assertThat(leftOut.reasons()).containsKey(new RuleId("", "OQ", 8, ""));
    }
}
