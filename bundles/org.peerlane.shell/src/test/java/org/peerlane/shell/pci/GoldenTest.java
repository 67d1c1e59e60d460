package org.peerlane.shell.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.testkit.Rule;

/**
 * What the real tool says of the example machine: {@code golden/README.md} tells how it was
 * recorded.
 */
@DisplayName("lspci")
class GoldenTest {
    /** A dump has no sizes of BARs. */
    private static final String BAR_SIZE = "(?m)(prefetchable\\)(?: \\[disabled])?) \\[size=\\w+]$";

    private static String golden(String name) throws IOException {
        try (InputStream in = GoldenTest.class.getResourceAsStream("golden/" + name + ".txt")) {
            return new String(
                            Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8)
                    .stripTrailing();
        }
    }

    private static String ours(String... arguments) {
        @Nullable String text = new LspciCommand(ExampleMachine.bus()).lspci(arguments);
        return Objects.requireNonNull(text).replaceAll(BAR_SIZE, "$1");
    }

    @Rule("PC-9")
    @Rule("PC-10")
    @Rule("PC-23")
    @ParameterizedTest(name = "lspci {0}")
    @ValueSource(
            strings = {"-n", "-nn", "-v", "-vv", "-vvnn", "-nv", "-k", "-t", "-tv", "-D", "-x"})
    void saysWhatPciutilsSays(String option) throws IOException {
        assertThat(ours(option)).isEqualTo(golden(option.substring(1)));
    }

    @ParameterizedTest(name = "lspci -{0}")
    @ValueSource(strings = {"xxx", "xxxx"})
    void dumpsInTheFormThatPciutilsReads(String option) throws IOException {
        assertThat(ours("-" + option, "-s", "04:00.0")).isEqualTo(golden(option));
    }
}
