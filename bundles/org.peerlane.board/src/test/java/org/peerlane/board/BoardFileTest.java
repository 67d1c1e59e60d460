package org.peerlane.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.kernel.api.Profile;

@DisplayName("A board file")
class BoardFileTest {
    @TempDir Path folder;

    private BoardFile.Content read(String json) throws Exception {
        return BoardFile.read(Files.writeString(folder.resolve("b.json"), json));
    }

    private List<String> shorten(List<String> problems) {
        return problems.stream().map(p -> p.replace(folder + "/", "")).toList();
    }

    @Test
    void mayHaveCommentsAndConfiguratorKeys() throws Exception {
        BoardFile.Content content =
                read(
                        """
                        // ours
                        { ":configurator:resource-version": 1,
                          ":configurator:x": { "y": [1] },
                          /* one */ "memory": { "ramMiB": 1 } }
                        """);
        assertThat(content.problems()).isEmpty();
        assertThat(content.entries()).extracting(Entry::id).containsExactly("memory");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\" {}} | b.json:1:6: | colon",
                "{\"a\": {}, } | b.json:1:1 | expecting double-quote to start field name",
                "{\"a\": {} | b.json:1: | end-of-input",
                "[] | b.json:1:1: | expected an object of configurations",
                "{} {} | b.json:1:4: | nothing after the last brace",
            })
    void thatIsNoJsonNamesPlaceAndExpectation(String json, String place, String expected) {
        assertThatExceptionOfType(BoardFile.Unreadable.class)
                .isThrownBy(() -> read(json))
                .withMessageContaining(place)
                .withMessageContaining(expected);
    }

    @Test
    void thatIsNotThereIsNamed() {
        assertThatExceptionOfType(BoardFile.Unreadable.class)
                .isThrownBy(() -> BoardFile.read(Path.of("/no/such.json")))
                .withMessage("/no/such.json: there is no such board file");
    }

    @Test
    void losesOnlyTheEntryOfAnotherShape() throws Exception {
        BoardFile.Content content =
                read("{\"a\": 7,\n\"b\": {\"x\": {\"y\": 1}},\n\"c\": {\"z\": null}, \"d\": {}}");
        assertThat(content.entries()).extracting(Entry::id).containsExactly("d");
        assertThat(shorten(content.problems()))
                .containsExactly(
                        "b.json:1:2: a: expected an object with its settings",
                        "b.json:2:7: b: 'x' has no value that fits a setting; expected a string, a"
                                + " number, true, false or a list of those",
                        "b.json:3:7: c: 'z' has no value that fits a setting; expected a string, a"
                                + " number, true, false or a list of those");
    }

    @Test
    void namesBothPlacesOfWhatStandsTwice() throws Exception {
        BoardFile.Content content = read("{\"a\": {\"k\": 1,\n\"k\": 2},\n\"b\": {},\n\"b\": {}}");
        assertThat(content.entries()).extracting(Entry::id).containsExactly("b");
        assertThat(shorten(content.problems()))
                .allMatch(p -> p.contains("expected it once, at "))
                .satisfiesExactly(
                        p -> assertThat(p).startsWith("b.json:2:1: a: 'k'").endsWith("b.json:1:8"),
                        p -> assertThat(p).startsWith("b.json:4:1: b").endsWith("b.json:3:1"));
    }

    @Test
    void namesEachSlotWithoutAPlaceOfItsOwn() throws Exception {
        String pcie = "\"org.peerlane.bus.pcie";
        List<Entry> entries =
                new ArrayList<>(
                        read("{S.slot~a\": {\"address\": \"00:04.0\"},\n".replace("S", pcie)
                                        + pcie
                                        + ".slot~b\": {\"address\": \"0000:00:04.0\"},\n"
                                        + pcie
                                        + ".slot~c\": {\"address\": \"four\"},\n"
                                        + pcie
                                        + ".slot~d\": {\"port\": \"sw1.0\"},\n"
                                        + pcie
                                        + ".slot~e\": {\"port\": \"sw0.1\"},\n"
                                        + pcie
                                        + ".slot~f\": {\"port\": \"sw0.1\"},\n"
                                        + pcie
                                        + ".slot~g\": {},\n"
                                        + pcie
                                        + ".slot~h\": {\"port\": \"sw0.1\", \"function\": 1},\n"
                                        + pcie
                                        + ".switch~sw0\": {\"port\": \"rp0\", \"ports\": 2},\n"
                                        + pcie
                                        + ".port~rp0\": {\"address\": \"00:01.0\"}}")
                                .entries());
        List<String> problems = new ArrayList<>();
        Places.refuse(entries, problems);
        assertThat(entries).extracting(Entry::name).containsExactly("a", "e", "h", "sw0", "rp0");
        assertThat(shorten(problems))
                .satisfiesExactly(
                        p -> assertThat(p).startsWith("b.json:2:").contains("slot~a at b.json:1:2"),
                        p -> assertThat(p).startsWith("b.json:3:").contains("four", "00:04.0"),
                        p -> assertThat(p).startsWith("b.json:4:").contains("sw1.0", "rp0, sw0.0"),
                        p -> assertThat(p).startsWith("b.json:6:").contains("slot~e at b.json:5:1"),
                        p -> assertThat(p).startsWith("b.json:7:").contains("no place"));
    }

    @Test
    void describesItsMachine() throws Exception {
        List<Entry> entries =
                new ArrayList<>(
                        read("{\"org.peerlane.machine\": {\"name\": \"m\", \"profile\": \"6.19\"}}")
                                .entries());
        Description description = Description.take(entries);
        assertThat(entries).isEmpty();
        assertThat(description).isEqualTo(new Description("m", Profile.parse("6.19"), List.of()));
    }

    @Test
    void withAnUnknownProfileRunsTheDefaultAndSaysSo() throws Exception {
        List<Entry> entries =
                new ArrayList<>(
                        read("{\"org.peerlane.machine\": {\n\"profile\": \"9.9\",\n\"nam\": \"m\"}}")
                                .entries());
        Description description = Description.take(entries);
        assertThat(description.profile()).isEqualTo(Profile.DEFAULT);
        assertThat(shorten(description.problems()))
                .satisfiesExactly(
                        p -> assertThat(p).startsWith("b.json:2:1:").contains("9.9", "7.3"),
                        p ->
                                assertThat(p)
                                        .startsWith("b.json:3:1:")
                                        .contains("did you mean 'name'"));
    }

    @Test
    void hasRangesFromTheMetatypeFiles() throws Exception {
        String xml =
                "<MetaData><OCD id='a'><AD id='k' min='12' max='64'/><AD id='low' min='1'/>"
                        + "<AD id='high' max='9'/></OCD><OCD id='b'><AD id='k' min='7'/></OCD></MetaData>";
        Map<String, String> ranges = new HashMap<>();
        Ranges.read(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)), "a", ranges);
        assertThat(ranges)
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of(
                                "k",
                                " from 12 to 64",
                                "low",
                                " of at least 1",
                                "high",
                                " of at most 9"));
    }
}
