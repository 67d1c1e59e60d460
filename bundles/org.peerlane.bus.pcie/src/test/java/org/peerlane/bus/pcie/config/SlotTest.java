package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("A hot-plug slot")
class SlotTest {
    private static final int BUTTON = 1;
    private static final int PRESENCE = 1 << 3;
    private static final int COMMAND = 1 << 4;
    private static final int PRESENT = 1 << 6;
    private static final int LINK = 1 << 8;

    private static final int POWERED = Slot.ON << 8 | Slot.OFF << 6;
    private static final int SWITCHED_OFF = 1 << 10 | Slot.OFF << 8 | Slot.OFF << 6;

    private final FunctionConfig port = Samples.rootPort();
    private final Express express = Objects.requireNonNull(port.express());
    private final Slot slot = Objects.requireNonNull(express.slot());
    private final Link link = Objects.requireNonNull(express.link());
    private final int control = express.at() + 0x18;
    private final int status = express.at() + 0x1A;

    private long status() {
        return port.read(status, 2);
    }

    @Rule("PC-68")
    @Test
    void surpriseRemovalTakesPresenceAndLinkAndSetsBothEvents() {
        slot.populate();
        assertThat(status()).isEqualTo(PRESENT);
        assertThat(link.active()).isTrue();
        assertThat(link.reportsSurpriseDown()).isTrue();
        slot.presence(false);
        assertThat(status()).isEqualTo(PRESENCE | LINK);
        assertThat(link.active()).isFalse();
        assertThat(port.read(express.at() + 0x12, 2)).isZero();
    }

    @Rule("PC-69")
    @Test
    void whatIsPutInGetsItsLinkWithItsPower() {
        slot.presence(true);
        assertThat(status()).isEqualTo(PRESENT | PRESENCE);
        assertThat(slot.powered()).isFalse();
        int effects = port.write(control, 2, POWERED);
        assertThat(effects).isEqualTo(Effect.SLOT | Effect.SLOT_INTERRUPT | Effect.LINK);
        assertThat(link.active()).isTrue();
        assertThat(status()).isEqualTo(PRESENT | PRESENCE | COMMAND | LINK);
        assertThat(slot.powerIndicator()).isEqualTo(Slot.ON);
        assertThat(slot.attentionIndicator()).isEqualTo(Slot.OFF);
    }

    @Rule("PC-69")
    @Test
    void anEventInterruptsOnceIfItAndInterruptsAreEnabled() {
        slot.presence(true);
        assertThat(slot.notice()).isFalse();
        port.write(control, 2, SWITCHED_OFF | 1 << 3);
        assertThat(slot.notice()).as("interrupts are off").isFalse();
        port.write(control, 2, SWITCHED_OFF | 1 << 5);
        assertThat(slot.notice()).as("the event is off").isFalse();
        port.write(control, 2, SWITCHED_OFF | 1 << 5 | 1 << 3);
        assertThat(slot.notice()).isTrue();
        assertThat(slot.notice()).as("again").isFalse();
        port.write(status, 2, PRESENCE | COMMAND);
        assertThat(slot.notice()).isFalse();
        slot.presence(false);
        assertThat(slot.notice()).isTrue();
    }

    @Rule("PC-69")
    @Test
    void theLinksEventHasItsOwnEnable() {
        port.write(control, 2, POWERED | 1 << 5 | 1 << 8);
        port.write(status, 2, COMMAND);
        slot.presence(true);
        port.write(status, 2, PRESENCE);
        assertThat(status()).isEqualTo(PRESENT | LINK);
        assertThat(slot.interrupts()).isFalse();
        port.write(control, 2, POWERED | 1 << 5 | 1 << 12);
        assertThat(slot.interrupts()).isTrue();
    }

    @Rule("PC-69")
    @Test
    void everyControlWriteCompletesACommandUnlessTheSlotSaysNo() {
        port.write(control, 1, SWITCHED_OFF & 0xFF);
        assertThat(status()).isEqualTo(COMMAND);
        port.write(status, 2, COMMAND);
        assertThat(status()).as("a write of status is no command").isZero();
        port.write(control, 4, SWITCHED_OFF | (long) COMMAND << 16);
        assertThat(status()).as("both at once").isEqualTo(COMMAND);
        SlotLayout quiet = new SlotLayout(1, true, true, true, true, true, false);
        FunctionConfig other =
                FunctionConfig.port(PortLayout.of(ExpressType.DOWNSTREAM_PORT, 1, 2, 3, quiet));
        int at = Objects.requireNonNull(other.express()).at();
        assertThat(other.read(at + 0x16, 2) & 4).as("SltCap bit 18").isEqualTo(4);
        other.write(at + 0x18, 2, POWERED);
        assertThat(other.read(at + 0x1A, 2)).isZero();
    }

    @Rule("PC-69")
    @Test
    void clearingAnEventThatIsNotThereClearsNone() {
        slot.presence(true);
        port.write(status, 2, 0xFFFF);
        assertThat(status()).as("software has not read it").isEqualTo(PRESENT | PRESENCE);
        port.write(status, 2, PRESENCE);
        assertThat(status()).isEqualTo(PRESENT);
    }

    @Rule("PC-70")
    @Test
    void theButtonIsHeardUnlessTheIndicatorBlinks() {
        slot.populate();
        assertThat(slot.pressButton()).isTrue();
        assertThat(status()).isEqualTo(PRESENT | BUTTON);
        port.write(status, 2, BUTTON);
        port.write(control, 2, Slot.BLINKS << 8 | Slot.OFF << 6);
        assertThat(slot.pressButton()).isFalse();
        assertThat(status() & BUTTON).isZero();
    }

    @Rule("PC-70")
    @Test
    void powerAndIndicatorOffLetTheDeviceGo() {
        slot.populate();
        assertThat(port.write(control, 2, Slot.BLINKS << 8) & Effect.EJECT).isZero();
        int half = port.write(control, 2, 1 << 10 | Slot.BLINKS << 8);
        assertThat(half & Effect.EJECT).as("the indicator still blinks").isZero();
        assertThat(half & Effect.LINK).as("no power, no link").isNotZero();
        assertThat(port.write(control, 2, SWITCHED_OFF) & Effect.EJECT).isNotZero();
        assertThat(port.write(control, 2, SWITCHED_OFF) & Effect.EJECT).as("again").isZero();
        slot.presence(false);
        assertThat(status() & (PRESENT | PRESENCE)).isEqualTo(PRESENCE);
    }

    @Rule("PC-64")
    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void noResetChangesWhatIsInIt(ResetKind kind) {
        slot.populate();
        slot.pressButton();
        port.reset(kind);
        assertThat(status()).isEqualTo(PRESENT);
        assertThat(slot.powered()).isTrue();
        assertThat(link.active()).isTrue();
        slot.presence(false);
        port.reset(kind);
        assertThat(status()).isZero();
        assertThat(slot.powered()).isFalse();
        assertThat(link.active()).isFalse();
    }

    @Test
    void softwareSwitchesTheLinkOff() {
        slot.populate();
        assertThat(port.write(express.at() + 0x10, 2, 1 << 4) & Effect.LINK).isNotZero();
        assertThat(link.active()).isFalse();
        assertThat(status()).isEqualTo(PRESENT | LINK);
        port.write(express.at() + 0x10, 2, 0);
        assertThat(link.active()).isTrue();
        assertThat(port.write(express.at() + 0x10, 2, 1 << 5)).as("retrain").isEqualTo(Effect.LINK);
        assertThat(port.read(express.at() + 0x10, 2)).isZero();
    }

    @Test
    void slotsAreBelowPortsOnly() {
        SlotLayout layout = SlotLayout.hotPlug(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PortLayout.of(ExpressType.UPSTREAM_PORT, 1, 2, 3, layout));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PortLayout.of(ExpressType.ENDPOINT, 1, 2, 3, null));
        assertThatIllegalArgumentException().isThrownBy(() -> SlotLayout.hotPlug(8192));
    }
}
