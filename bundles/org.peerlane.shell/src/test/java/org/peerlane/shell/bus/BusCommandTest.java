package org.peerlane.shell.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.shell.pci.FakeBus;
import org.peerlane.shell.pci.FakeFunction;

@DisplayName("bus:")
class BusCommandTest {
    private static final int EXPRESS = 0x40;
    private static final int MSI = 0x60;

    private final FakeFunction port =
            new FakeFunction("00:01.0", 0x1B36, 0x000C, 0x060400, 0).in("rp0").bridge(0, 1, 1);
    private final FakeFunction device =
            new FakeFunction("01:00.0", 0x1234, 0x11E8, 0x00FF00, 0)
                    .in("edu0")
                    .capability(EXPRESS, 0x10, 2, 1 << 28)
                    .capability(MSI, 0x05, 0x81, 0xFEE0_0000, 0, 0x21)
                    .put(0x04, 2, 6)
                    .put(0x10, 4, 0xC000_0000L);
    private final FakeBus bus = new FakeBus(port, device);
    private final BusCommand command = new BusCommand(bus);

    /** What any reset does to the registers that software has set. */
    private void lose() {
        device.put(0x04, 2, 0).put(0x10, 4, 0).put(MSI + 2, 2, 0x80).put(MSI + 4, 4, 0);
        device.put(EXPRESS + 8, 2, 0);
    }

    private void isAsBefore() {
        assertThat(device.readConfig(0x04, 2)).isEqualTo(6);
        assertThat(device.readConfig(0x10, 4)).isEqualTo(0xC000_0000L);
        assertThat(device.readConfig(MSI + 2, 2)).isEqualTo(0x81);
        assertThat(device.readConfig(MSI + 4, 4)).isEqualTo(0xFEE0_0000L);
    }

    @Test
    void aFunctionLevelResetGivesTheSettingsBack() {
        boolean[] wasMaster = {true};
        device.afterWrite(() -> {
            if ((device.readConfig(EXPRESS + 8, 2) & 1 << 15) != 0) {
                wasMaster[0] = (device.readConfig(4, 2) & 4) != 0;
                lose();
            }
        });
        assertThat(command.reset("edu0")).isEqualTo("edu0 at 0000:01:00.0: function-level reset");
        assertThat(wasMaster[0]).as("bus master during the reset").isFalse();
        isAsBefore();
    }

    @Test
    void aHotResetPulsesThePortAbove() {
        port.afterWrite(() -> {
            if ((port.readConfig(0x3E, 2) & 1 << 6) != 0) {
                lose();
            }
        });
        assertThat(command.reset("01:00.0", "hot"))
                .isEqualTo("edu0 at 0000:01:00.0: hot reset by rp0");
        assertThat(port.readConfig(0x3E, 2)).isZero();
        isAsBefore();
    }

    @Test
    void whatCannotBeResetIsRefusedInOneSentence() {
        device.put(EXPRESS + 4, 4, 0);
        refused("edu0", "flr", "ENOTTY: edu0 has no function-level reset");
        refused("rp0", "flr", "ENOTTY: rp0 is a bridge");
        refused("edu0", "pm", "ENOTTY: edu0 is not reset by D3hot");
        refused("edu0", "cold", "EINVAL: reset method 'cold'; expected flr, pm or hot");
        refused("edu7", "flr", "ENODEV: there is no function 'edu7'; expected an address such as");
        refused("02:00.0", "flr", "or one of rp0, edu0");
        port.put(0x19, 1, 9);
        refused("edu0", "hot", "ENOTTY: edu0 is on a root bus");
    }

    private void refused(String function, String method, String part) {
        assertThatThrownBy(() -> command.reset(function, method))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining(part);
    }

    @Test
    void waitsUntilTheDriversHaveBeenTold() throws Exception {
        command.eject("edu0");
        command.pull("edu1");
        command.plug("edu1");
        assertThat(bus.calls())
                .containsExactly(
                        "eject edu0", "settle", "pull edu1", "settle", "plug edu1", "settle");
    }

    @Test
    void p2pWhySaysKindDistanceAndReason() {
        assertThat(new PeerCommand(bus).why("edu0", "rp0").lines())
                .containsExactly(
                        "kind      not supported",
                        "distance  none",
                        "reason    this bus knows no routes between peers");
    }
}
