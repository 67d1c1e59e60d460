package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("Power management and PCI Express")
class PowerAndExpressTest {
    private final FunctionConfig function = Samples.endpoint();
    private final PowerManagement power = Objects.requireNonNull(function.power());
    private final Express express = Objects.requireNonNull(function.express());

    private int state(int value) {
        return function.write(power.at() + 4, 2, value);
    }

    @Rule("PC-24")
    @ParameterizedTest(name = "a write of D{0} leads to D{1}")
    @CsvSource({"1, 1", "2, 0", "3, 3"})
    void onlyAStateThatTheFunctionHasIsTaken(int written, int then) {
        state(written);
        assertThat(power.state()).isEqualTo(then);
        assertThat(function.read(power.at() + 2, 2)).as("PMC").isEqualTo(0xCA03);
    }

    @Rule("PC-26")
    @Test
    void backFromD3hotTheFunctionIsResetUnlessItSaysNo() {
        assertThat(state(3) & Effect.POWER_RESET).isZero();
        assertThat(state(0) & Effect.POWER_RESET).isNotZero();
        assertThat(state(1) & state(0) & Effect.POWER_RESET).as("from D1").isZero();
        FunctionConfig keeps =
                Samples.endpoint(new CapabilityLayout.PowerManagement(false, false, true, 0));
        int pmcsr = Objects.requireNonNull(keeps.power()).at() + 4;
        assertThat(keeps.read(pmcsr, 2)).isEqualTo(8);
        keeps.write(pmcsr, 2, 3);
        assertThat(keeps.write(pmcsr, 2, 0) & Effect.POWER_RESET).isZero();
    }

    @Rule("PC-25")
    @Test
    void configSpaceAnswersInD3hot() {
        state(3);
        assertThat(function.read(0, 4)).isEqualTo(0x5678_1234L);
        assertThat(function.awake()).isFalse();
    }

    @Test
    void wakingSetsPmeStatusAndAsksForAMessageIfEnabled() {
        assertThat(power.wake()).isFalse();
        state(1 << 8);
        assertThat(power.wake()).isTrue();
        assertThat(function.read(power.at() + 5, 1)).isEqualTo(0x81);
        state(1 << 15 | 1 << 8);
        assertThat(function.read(power.at() + 5, 1)).isEqualTo(1);
        state(1 << 8 | 1);
        assertThat(power.wake()).as("no PME from D1").isFalse();
    }

    @Test
    void theExpressRegistersReadAsTheSpecificationSays() {
        int at = express.at();
        assertThat(function.read(at + 2, 2)).isEqualTo(0x0002);
        assertThat(function.read(at + 4, 4)).isEqualTo(0x1000_8021L);
        assertThat(function.read(at + 8, 4)).isEqualTo(0x0000_2810L);
        assertThat(function.read(at + 0x0C, 4)).isEqualTo(4 << 4 | 4);
        assertThat(function.read(at + 0x12, 2)).isEqualTo(4 << 4 | 4);
        assertThat(function.read(at + 0x14, 4)).as("no slot").isZero();
        assertThat(function.read(at + 0x2C, 4)).isEqualTo(0x1E);
        assertThat(function.read(at + 0x30, 2)).isEqualTo(4);
        assertThat(express.maxPayload()).isEqualTo(128);
        assertThat(express.maxRead()).isEqualTo(512);
        express.pending(true);
        assertThat(function.read(at + 0x0A, 2)).isEqualTo(0x20);
    }

    @Test
    void inTheRootComplexThereIsNoLink() {
        FunctionConfig integrated =
                FunctionConfig.endpoint(Samples.full(), ExpressType.ROOT_COMPLEX_ENDPOINT);
        int at = Objects.requireNonNull(integrated.express()).at();
        assertThat(integrated.read(at + 2, 2)).isEqualTo(0x0092);
        assertThat(integrated.read(at + 0x0C, 4)).isZero();
        assertThat(integrated.read(at + 0x10, 4)).isZero();
    }

    @Test
    void aRootPortSaysWhatItIs() {
        FunctionConfig port = Samples.rootPort();
        int at = Objects.requireNonNull(port.express()).at();
        assertThat(port.read(at + 2, 2)).isEqualTo(0x0142);
        assertThat(port.read(at + 4, 4)).as("no FLR").isEqualTo(0x0000_8021L);
        assertThat(port.read(at + 0x0C, 4)).isEqualTo(5 << 24 | 3 << 19 | 4 << 4 | 4);
        assertThat(port.read(at + 0x14, 4)).isEqualTo(7 << 19 | 0x7B);
        assertThat(port.read(at + 0x1E, 2)).isEqualTo(1);
    }

    @Rule("PC-61")
    @ParameterizedTest
    @CsvSource({"1, 9, 0x80", "2, 8, 0xA810", "4, 8, 0x0000A810"})
    void flrStartsAtAnyWidthAndReadsZero(int bytes, int offset, String value) {
        assertThat(function.write(express.at() + offset, bytes, Long.decode(value)))
                .isEqualTo(Effect.FLR);
        assertThat(function.read(express.at() + 8, 2)).isEqualTo(bytes == 1 ? 0x0010 : 0x2810);
        assertThat(function.write(express.at() + 8, 1, 0x80)).as("another bit 7").isZero();
    }

    @Rule("PC-61")
    @Test
    void flrClearsCommandBarsAndMessagesAndKeepsTheLinkAndItsPayload() {
        function.write(4, 2, 7);
        function.write(0x24, 4, 0xFEB0_0000L);
        MsiX msiX = Objects.requireNonNull(function.msiX());
        Msi msi = Objects.requireNonNull(function.msi());
        function.write(msiX.at() + 2, 2, 0xC000);
        function.write(msi.at() + 2, 2, 1);
        function.write(express.at() + 8, 2, 0x5025);
        function.write(express.at() + 0x10, 2, 0x40);
        function.reset(ResetKind.FLR);
        assertThat(function.read(4, 2)).isZero();
        assertThat(function.read(0x24, 4)).isZero();
        assertThat(msiX.enabled()).isFalse();
        assertThat(msi.enabled()).isFalse();
        assertThat(function.read(express.at() + 8, 2)).isEqualTo(0x2830);
        assertThat(function.read(express.at() + 0x10, 2)).isEqualTo(0x40);
        function.reset(ResetKind.HOT);
        assertThat(function.read(express.at() + 8, 2)).isEqualTo(0x2810);
        assertThat(function.read(express.at() + 0x10, 2)).isZero();
    }

    @Rule("PC-61")
    @ParameterizedTest
    @CsvSource({"1, 4", "2, 4", "4, 4"})
    void aConventionalFunctionIsResetByAdvancedFeatures(int bytes, int offset) {
        FunctionConfig old = Samples.endpoint(new CapabilityLayout.AdvancedFeatures());
        AdvancedFeatures features = (AdvancedFeatures) old.capabilities().getFirst();
        assertThat(old.read(0x40, 4)).isEqualTo(0x0306_0013L);
        assertThat(old.write(0x40 + offset, bytes, 1)).isEqualTo(Effect.FLR);
        assertThat(old.read(0x44, 2)).isZero();
        assertThat(old.write(0x45, 1, 1)).as("status").isZero();
        features.pending(true);
        assertThat(old.read(0x44, 2)).isEqualTo(0x0100);
    }

    @Rule("PC-67")
    @ParameterizedTest
    @CsvSource({
        "0, 50000000",
        "1, 100000",
        "2, 10000000",
        "5, 55000000",
        "6, 210000000",
        "9, 900000000",
        "10, 3500000000",
        "13, 13000000000",
        "14, 64000000000",
        "16, 9223372036854775807",
    })
    void theCompletionTimeoutIsWhatSoftwareChose(int written, long nanos) {
        function.write(express.at() + 0x28, 2, written);
        assertThat(express.completionTimeoutNanos()).isEqualTo(nanos);
    }

    @Test
    void aRootPortKeepsTheFirstPmeAndKnowsOfASecond() {
        FunctionConfig port = Samples.rootPort();
        Express rootExpress = Objects.requireNonNull(port.express());
        RootControl root = Objects.requireNonNull(rootExpress.root());
        port.write(rootExpress.at() + 0x1C, 2, 1 << 4 | 1 << 3);
        assertThat(root.retriesVisible()).isTrue();
        assertThat(root.pme(0x0100)).isTrue();
        assertThat(root.pme(0x0200)).isFalse();
        assertThat(port.read(rootExpress.at() + 0x20, 4)).isEqualTo(0x0003_0100L);
        port.write(rootExpress.at() + 0x22, 1, 1);
        assertThat(port.read(rootExpress.at() + 0x20, 4)).isEqualTo(0x0000_0100L);
    }
}
