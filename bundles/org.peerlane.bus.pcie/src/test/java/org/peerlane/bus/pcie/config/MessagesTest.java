package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.bus.pcie.config.Intx.Edge;
import org.peerlane.testkit.Rule;

@DisplayName("MSI and MSI-X in config space, and INTx")
class MessagesTest {
    private final FunctionConfig function = Samples.endpoint();
    private final Msi msi = Objects.requireNonNull(function.msi());
    private final MsiX msiX = Objects.requireNonNull(function.msiX());

    @ParameterizedTest(name = "64-bit {0}, masks {1}: {2} bytes, data at {3}")
    @CsvSource({
        "false, false, 10, 8, 0", "true, false, 14, 12, 0",
        "false, true, 20, 8, 12", "true, true, 24, 12, 16",
    })
    void msiHasFourForms(boolean wide, boolean masks, int bytes, int data, int mask) {
        FunctionConfig form = Samples.endpoint(new CapabilityLayout.Msi(4, wide, masks));
        Msi one = Objects.requireNonNull(form.msi());
        assertThat(one.bytes()).isEqualTo(bytes);
        assertThat(form.read(one.at() + 2, 2))
                .isEqualTo((masks ? 0x100 : 0) | (wide ? 0x80 : 0) | 2 << 1);
        form.write(one.at() + 4, 4, 0xFEE0_0003L);
        form.write(one.at() + data, 2, 0x1237);
        form.write(one.at() + 2, 2, 1 << 4 | 1);
        assertThat(one.address()).isEqualTo(0xFEE0_0000L);
        assertThat(one.data()).isEqualTo(0x1236);
        assertThat(one.enabledVectors()).isEqualTo(2);
        if (wide) {
            form.write(one.at() + 8, 4, 0x12);
            assertThat(one.address()).isEqualTo(0x12_FEE0_0000L);
        }
        if (masks) {
            form.write(one.at() + mask, 4, 0xFFFF_FFFFL);
            assertThat(one.mask()).as("one bit per vector").isEqualTo(0xF);
            one.pending(5);
            form.write(one.at() + mask + 4, 4, 0);
            assertThat(form.read(one.at() + mask + 4, 4)).isEqualTo(5);
        }
    }

    @Test
    void softwareCannotUseMoreVectorsThanThereAre() {
        function.write(msi.at() + 2, 2, 5 << 4);
        assertThat(function.read(msi.at() + 2, 1)).isEqualTo(3 << 4 | 3 << 1 | 0x80);
        assertThat(msi.enabledVectors()).isEqualTo(8);
    }

    @Rule("PC-27")
    @Test
    void msiXSaysWhereTableAndPendingBitsAre() {
        assertThat(function.read(msiX.at() + 2, 2)).isEqualTo(64);
        assertThat(function.read(msiX.at() + 4, 4)).isZero();
        assertThat(function.read(msiX.at() + 8, 4)).isEqualTo(0x2000);
        assertThat(msiX.inTable(0, 65 * 16 - 1)).isTrue();
        assertThat(msiX.inTable(0, 65 * 16)).isFalse();
        assertThat(msiX.inTable(2, 0)).isFalse();
        assertThat(msiX.inPending(0, 0x200F)).isTrue();
        assertThat(msiX.inPending(0, 0x2010)).isFalse();
        assertThat(msiX.inPending(0, 0x1FFF)).isFalse();
    }

    @Rule("ER-39")
    @Test
    void msiXControlCanBeWrittenByItsUpperByte() {
        assertThat(function.write(msiX.at() + 3, 1, 0xC0) & Effect.MESSAGES).isNotZero();
        assertThat(msiX.enabled()).isTrue();
        assertThat(msiX.functionMasked()).isTrue();
    }

    private Edge level(boolean wants) {
        function.intx().level(wants);
        return function.intx().update();
    }

    @Rule("PC-78")
    @Test
    void intxIsALevelSentAsEdgesAndBusMasterDoesNotMatter() {
        assertThat(level(false)).isEqualTo(Edge.NONE);
        assertThat(level(true)).isEqualTo(Edge.ASSERT);
        assertThat(level(true)).isEqualTo(Edge.NONE);
        assertThat(function.write(4, 2, 1 << 10) & Effect.INTX).isNotZero();
        assertThat(function.intx().update()).isEqualTo(Edge.DEASSERT);
        assertThat(function.header().interruptPending()).as("PC-8").isTrue();
        function.write(4, 2, 0);
        assertThat(function.intx().update()).isEqualTo(Edge.ASSERT);
        function.reset(ResetKind.FLR);
        assertThat(function.intx().update()).isEqualTo(Edge.DEASSERT);
        level(true);
        function.intx().linkDown();
        assertThat(function.intx().asserted()).isFalse();
    }

    @Rule("PC-29")
    @Rule("PC-78")
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void intxIsDeassertedWhileMessagesAreOn(boolean extended) {
        level(true);
        int at = (extended ? msiX.at() : msi.at()) + 2;
        int effects = function.write(at, 2, extended ? 0x8000 : 1);
        assertThat(effects & Effect.INTX).isNotZero();
        assertThat(function.intx().update()).isEqualTo(Edge.DEASSERT);
        function.write(at, 2, 0);
        assertThat(function.intx().update()).isEqualTo(Edge.ASSERT);
    }

    @Rule("PC-78")
    @ParameterizedTest
    @CsvSource({"1, 0, 1", "1, 1, 2", "4, 1, 1", "2, 31, 1", "3, 4, 3"})
    void aBridgeTurnsThePins(int pin, int device, int above) {
        assertThat(Intx.swizzle(pin, device)).isEqualTo(above);
    }

    @Rule("PC-78")
    @Test
    void aFunctionWithoutPinNeverAsserts() {
        Intx none = Samples.plain().intx();
        none.level(true);
        assertThat(none.update()).isEqualTo(Edge.NONE);
    }
}
