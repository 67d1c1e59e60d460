package org.peerlane.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.service.metatype.AttributeDefinition;

@DisplayName("A board's entry")
class CheckerTest {
    private static final Schema SLOT =
            new FakeMetatype()
                    .required("name", AttributeDefinition.STRING)
                    .required("device", AttributeDefinition.STRING)
                    .required("address", AttributeDefinition.STRING)
                    .schema(true, Map.of());
    private static final Schema EDU =
            new FakeMetatype()
                    .number("dmaMaskBits", 12, 64)
                    .schema(false, Map.of("dmaMaskBits", " from 12 to 64"));
    private static final Schema MEMORY =
            new FakeMetatype()
                    .number("ramMiB", 1, 4096)
                    .list("nodes", AttributeDefinition.INTEGER)
                    .schema(false, Map.of());

    @TempDir Path folder;

    private Entry entry(String json) throws Exception {
        Path file = Files.writeString(folder.resolve("b.json"), json);
        BoardFile.Content content = BoardFile.read(file);
        assertThat(content.problems()).isEmpty();
        return content.entries().getFirst();
    }

    private Checker slot(String settings) throws Exception {
        var checker = new Checker(entry("{\n\"slot~edu0\": {\n" + settings + "}}"));
        checker.check(SLOT, EDU, "device.");
        return checker;
    }

    private Checker memory(String settings) throws Exception {
        var checker = new Checker(entry("{\n\"memory\": {\n" + settings + "}}"));
        checker.check(MEMORY);
        return checker;
    }

    private List<String> lines(Checker checker) {
        return checker.problems().stream().map(p -> p.replace(folder + "/", "")).toList();
    }

    @Test
    void withoutMistakesIsConverted() throws Exception {
        Checker checker =
                slot(
                        """
                        "device": "edu", "address": "00:04.0", "device.dmaMaskBits": 28
                        """);
        assertThat(checker.problems()).isEmpty();
        assertThat(checker.properties())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("device", "edu", "address", "00:04.0", "device.dmaMaskBits", 28));
    }

    @Test
    void withAMisspelledOptionNamesTheNearest() throws Exception {
        assertThat(
                        lines(
                                slot(
                                        "\"device\": \"edu\", \"address\": \"x\",\n  \"device.dmaMaskBit\": 28")))
                .containsExactly(
                        "b.json:4:3: slot~edu0: 'device.dmaMaskBit' is 28; there is no such key,"
                                + " did you mean 'device.dmaMaskBits'?; expected device.dmaMaskBits");
    }

    @Test
    void withAValueOutOfRangeNamesTheRange() throws Exception {
        assertThat(
                        lines(
                                slot(
                                        "\"device\": \"edu\", \"address\": \"x\",\n\"device.dmaMaskBits\": 99")))
                .containsExactly(
                        "b.json:4:1: slot~edu0: 'device.dmaMaskBits' is 99; expected a whole number"
                                + " from 12 to 64");
    }

    @ParameterizedTest(name = "{0} is refused")
    @CsvSource(
            delimiter = '|',
            value = {
                "\"28\" | \"28\"",
                "28.5 | 28.5",
                "true | true",
                "[28] | [28]",
                "123456789012345678901234567890 | 123456789012345678901234567890",
                "4294967324 | 4294967324"
            })
    void withAValueOfAnotherTypeShowsIt(String json, String shown) throws Exception {
        assertThat(lines(memory("\"ramMiB\": " + json)))
                .containsExactly(
                        "b.json:3:1: memory: 'ramMiB' is " + shown + "; expected a whole number");
    }

    @Test
    void withAMissingKeyNamesTheEntryAndTheKey() throws Exception {
        assertThat(lines(slot("\"device\": \"edu\"")))
                .containsExactly("b.json:2:1: slot~edu0: 'address' is missing; expected a string");
    }

    @Test
    void withAKeyWithADotThatIsNoOptionIsRefused() throws Exception {
        assertThat(lines(memory("\"ram.size\": 1")))
                .singleElement()
                .asString()
                .startsWith("b.json:3:1: memory: 'ram.size' is 1; there is no such key");
    }

    @Test
    void thatNamesItselfTwiceIsRefused() throws Exception {
        assertThat(lines(slot("\"device\": \"edu\", \"address\": \"x\",\n\"name\": \"edu7\"")))
                .containsExactly(
                        "b.json:4:1: slot~edu0: 'name' is \"edu7\"; the name is what follows the"
                                + " tilde; expected no such key");
    }

    @Test
    void ofAFactoryNeedsAName() throws Exception {
        var checker =
                new Checker(
                        entry(
                                "{\"slot\": {\"device\": \"a\", \"address\": \"b\", \"name\": \"c\"}}"));
        checker.check(SLOT);
        assertThat(lines(checker))
                .containsExactly(
                        "b.json:1:2: slot: 'slot' may stand here many times; expected a name after"
                                + " it, such as slot~first");
    }

    @Test
    void ofASingletonTakesNoName() throws Exception {
        var checker = new Checker(entry("{\"memory~two\": {}}"));
        checker.check(MEMORY);
        assertThat(lines(checker))
                .containsExactly(
                        "b.json:1:2: memory~two: 'memory' may stand here once only; expected no"
                                + " '~two' after it");
    }

    @Test
    void withAListBecomesAnArrayOfItsType() throws Exception {
        Checker checker = memory("\"nodes\": [1, 2]");
        assertThat(checker.problems()).isEmpty();
        assertThat(checker.properties().get("nodes")).isEqualTo(new Integer[] {1, 2});
        assertThat(lines(memory("\"nodes\": [1, true]")))
                .containsExactly(
                        "b.json:3:1: memory: 'nodes' is [1, true]; expected a list, each a whole"
                                + " number");
    }
}
