package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.bus.pcie.config.PcieError.ACS_VIOLATION;
import static org.peerlane.bus.pcie.config.PcieError.COMPLETION_TIMEOUT;
import static org.peerlane.bus.pcie.config.PcieError.INTERNAL;
import static org.peerlane.bus.pcie.config.PcieError.MALFORMED;
import static org.peerlane.bus.pcie.config.PcieError.UNSUPPORTED_REQUEST;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("Error reporting")
class ErrorsTest {
    private static final int STATUS = 0x04;
    private static final int MASK = 0x08;
    private static final int SEVERITY = 0x0C;
    private static final int CORRECTABLE = 0x10;
    private static final int CORRECTABLE_MASK = 0x14;
    private static final int CONTROL = 0x18;
    private static final int HEADER = 0x1C;
    private static final long UR = 1 << 20;

    private final FunctionConfig function = Samples.endpoint();
    private final int aer = Objects.requireNonNull(function.aer()).at();
    private final int express = Objects.requireNonNull(function.express()).at();

    private long get(int register) {
        return function.read(aer + register, 4);
    }

    private void put(int register, long value) {
        function.write(aer + register, 4, value);
    }

    /** DevCtl: reports everything. */
    private void reportAll() {
        function.write(express + 8, 1, 0x1F);
    }

    private ErrorMessage raise(PcieError error, boolean advisory, int header) {
        return function.errors().uncorrectable(error, advisory, header, 2, 3, 4);
    }

    private long detected() {
        return function.read(express + 0x0A, 2);
    }

    @Rule("PC-33")
    @Test
    void unsupportedNonPostedIsAdvisoryAndPostedIsNonFatal() {
        reportAll();
        put(CORRECTABLE_MASK, 0);
        assertThat(raise(UNSUPPORTED_REQUEST, true, 0x0400_0001))
                .isEqualTo(ErrorMessage.CORRECTABLE);
        assertThat(get(CORRECTABLE)).isEqualTo(1 << 13);
        assertThat(get(STATUS)).isEqualTo(UR);
        assertThat(get(CONTROL)).isEqualTo(20);
        assertThat(get(HEADER)).isEqualTo(0x0400_0001);
        assertThat(detected()).as("correctable and unsupported").isEqualTo(9);
        put(STATUS, UR);
        function.write(express + 0x0A, 2, 0xF);
        assertThat(raise(UNSUPPORTED_REQUEST, false, 0x4000_0001)).isEqualTo(ErrorMessage.NONFATAL);
        assertThat(get(STATUS)).isEqualTo(UR);
        assertThat(detected()).as("non-fatal and unsupported").isEqualTo(0xA);
    }

    @Rule("PC-33")
    @Test
    void aMaskedAdvisoryLeavesItsCorrectableBitOnly() {
        reportAll();
        assertThat(get(CORRECTABLE_MASK)).isEqualTo(0x6000);
        assertThat(raise(UNSUPPORTED_REQUEST, true, 1)).isEqualTo(ErrorMessage.NONE);
        assertThat(get(CORRECTABLE)).isEqualTo(1 << 13);
        assertThat(get(STATUS)).isZero();
        assertThat(get(HEADER)).isZero();
    }

    @Rule("PC-33")
    @Test
    void anErrorThatSoftwareTakesForFatalIsNeverAdvisory() {
        reportAll();
        put(CORRECTABLE_MASK, 0);
        put(SEVERITY, UR);
        assertThat(raise(UNSUPPORTED_REQUEST, true, 1)).isEqualTo(ErrorMessage.FATAL);
        assertThat(get(CORRECTABLE)).isZero();
        assertThat(detected()).isEqualTo(0xC);
    }

    @Test
    void theLogKeepsTheFirstUntilItIsCleared() {
        reportAll();
        assertThat(raise(COMPLETION_TIMEOUT, false, 0x11)).isEqualTo(ErrorMessage.NONFATAL);
        assertThat(raise(MALFORMED, false, 0x22)).isEqualTo(ErrorMessage.FATAL);
        assertThat(get(STATUS)).isEqualTo(1 << 14 | 1 << 18);
        assertThat(get(CONTROL)).isEqualTo(14);
        assertThat(get(HEADER)).isEqualTo(0x11);
        put(STATUS, 1 << 14);
        raise(ACS_VIOLATION, false, 0x33);
        assertThat(get(CONTROL)).isEqualTo(21);
        assertThat(get(HEADER)).isEqualTo(0x33);
        assertThat(get(HEADER + 12)).isEqualTo(4);
    }

    @Test
    void aMaskedErrorLeavesItsStatusOnly() {
        reportAll();
        assertThat(get(MASK)).isEqualTo(1 << 22);
        assertThat(raise(INTERNAL, false, 1)).isEqualTo(ErrorMessage.NONE);
        assertThat(get(STATUS)).isEqualTo(1 << 22);
        assertThat(get(HEADER)).isZero();
        assertThat(get(SEVERITY)).isEqualTo(0x46_2030);
    }

    @Rule("PC-32")
    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void theLogSurvivesResetsThatKeepThePower(ResetKind kind) {
        put(MASK, 1 << 16);
        put(SEVERITY, 0);
        put(CORRECTABLE_MASK, 1);
        raise(UNSUPPORTED_REQUEST, false, 0x44);
        function.reset(kind);
        boolean kept = kind == ResetKind.FLR || kind == ResetKind.HOT;
        assertThat(get(STATUS)).isEqualTo(kept ? UR : 0);
        assertThat(get(MASK)).isEqualTo(kept ? 1 << 16 : 1 << 22);
        assertThat(get(SEVERITY)).isEqualTo(kept ? 0 : 0x46_2030);
        assertThat(get(CORRECTABLE_MASK)).isEqualTo(kept ? 1 : 0x6000);
        assertThat(get(CONTROL)).isEqualTo(kept ? 20 : 0);
        assertThat(get(HEADER)).isEqualTo(kept ? 0x44 : 0);
        assertThat(detected()).as("DevSta is not sticky").isZero();
    }

    @Test
    void whatIsNotEnabledIsNotSentUnlessSerrIs() {
        assertThat(raise(UNSUPPORTED_REQUEST, false, 1)).isEqualTo(ErrorMessage.NONE);
        function.write(express + 8, 1, 0x02);
        assertThat(raise(UNSUPPORTED_REQUEST, false, 1))
                .as("UR itself")
                .isEqualTo(ErrorMessage.NONE);
        assertThat(raise(COMPLETION_TIMEOUT, false, 1)).isEqualTo(ErrorMessage.NONFATAL);
        assertThat(raise(MALFORMED, false, 1)).isEqualTo(ErrorMessage.NONE);
        function.write(4, 2, 1 << 8);
        assertThat(raise(UNSUPPORTED_REQUEST, false, 1)).isEqualTo(ErrorMessage.NONFATAL);
        assertThat(function.read(6, 2) & 1 << 14).as("signalled SERR").isNotZero();
    }

    @Test
    void withoutAerTheOldRegistersAndMessagesAreThere() {
        FunctionConfig old = Samples.endpoint(CapabilityLayout.Express.plain());
        int at = Objects.requireNonNull(old.express()).at();
        old.write(at + 8, 1, 0x0F);
        assertThat(old.errors().uncorrectable(UNSUPPORTED_REQUEST, true, 1, 2, 3, 4))
                .isEqualTo(ErrorMessage.CORRECTABLE);
        assertThat(old.errors().uncorrectable(MALFORMED, false, 1, 2, 3, 4))
                .isEqualTo(ErrorMessage.FATAL);
        assertThat(old.read(at + 0x0A, 2)).isEqualTo(0xD);
        assertThat(old.errors().badPacket()).isEqualTo(ErrorMessage.CORRECTABLE);
    }

    @Test
    void aRootPortKeepsTheFirstSourceAndInterruptsOnce() {
        FunctionConfig port = Samples.rootPort();
        Aer root = Objects.requireNonNull(port.aer());
        assertThat(root.received(ErrorMessage.CORRECTABLE, 0x100)).as("not enabled").isFalse();
        port.write(root.at() + 0x30, 4, -1);
        port.write(root.at() + 0x2C, 4, 7);
        assertThat(root.received(ErrorMessage.CORRECTABLE, 0x100)).isTrue();
        assertThat(root.received(ErrorMessage.CORRECTABLE, 0x200)).isFalse();
        assertThat(root.received(ErrorMessage.FATAL, 0x300)).as("already").isFalse();
        assertThat(root.received(ErrorMessage.NONFATAL, 0x400)).isFalse();
        assertThat(port.read(root.at() + 0x30, 4)).isEqualTo(0x7F);
        assertThat(port.read(root.at() + 0x34, 4)).isEqualTo(0x0300_0100L);
        assertThat(port.write(root.at() + 0x30, 4, -1)).isEqualTo(Effect.ERRORS);
        assertThat(root.interrupts()).isFalse();
        assertThat(root.received(ErrorMessage.NONFATAL, 0x500)).isTrue();
        assertThat(port.read(root.at() + 0x30, 4)).isEqualTo(0x24);
        assertThat(Objects.requireNonNull(function.aer()).received(ErrorMessage.FATAL, 1))
                .isFalse();
    }
}
