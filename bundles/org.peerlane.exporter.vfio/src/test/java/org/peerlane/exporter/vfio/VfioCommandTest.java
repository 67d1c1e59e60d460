package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.kernel.api.ErrnoException;

@DisplayName("vfio:")
class VfioCommandTest {
    private final Passthrough machine = new Passthrough();
    private final VfioCommand command =
            new VfioCommand(machine.execution, machine.root, machine.vfio);

    @AfterEach
    void close() {
        command.close();
        assertThat(machine.core.buffers()).isEmpty();
        machine.close();
    }

    private static void refused(String sentence, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(ErrnoException.class).hasMessageContaining(sentence);
    }

    @Test
    void aFunctionGoesFromItsDriverToUserSpaceAndBack() {
        assertThat(command.ls()).isEqualTo("nothing is passed through");
        machine.plugUnbound("card", "sw0.0", 0, Passthrough.card());
        assertThat(command.bind("card")).isEqualTo("card at 0000:03:00.0 is passed through");
        refused("EBUSY: card is passed through already", () -> command.bind("card"));
        command.open("card");
        refused("EBUSY: the shell has card open already", () -> command.open("card"));
        assertThat(command.export("card", "2", "0x1000", "0x2000"))
                .isEqualTo("buffer 1, 0x2000 bytes, OK");
        assertThat(command.ls().lines())
                .containsExactly(
                        "0000:03:00.0  card  open 1 times",
                        "  region 0  0x1000 bytes, can be mapped",
                        "  region 2  0x10000 bytes, can be mapped",
                        "  region 4  0x4000 bytes, can be mapped",
                        "  region 7  0x1000 bytes",
                        "  exported as buffer 1, 0x2000 bytes, OK");
        command.memory("card", "off");
        assertThat(command.ls()).contains("exported as buffer 1, 0x2000 bytes, REVOKED");
        command.memory("card", "on");
        command.reset("card");
        assertThat(command.ls()).contains("0x2000 bytes, OK");
        assertThat(command.close("card")).isEqualTo("card is closed");
        assertThat(machine.core.buffers()).isEmpty();
        assertThat(command.unbind("card")).isEqualTo("card has no driver now");
        assertThat(command.ls()).isEqualTo("nothing is passed through");
    }

    @Test
    void whatCannotBeIsRefusedInOneSentence() {
        refused("ENODEV: there is no function 'gpu7'", () -> command.bind("gpu7"));
        machine.plugUnbound("card", "sw0.0", 0, Passthrough.card());
        refused("ENODEV: card is not bound to vfio-pci", () -> command.open("card"));
        refused("ENODEV: card is not bound to vfio-pci", () -> command.unbind("card"));
        command.bind("card");
        refused("EBADF: the shell has not opened card", () -> command.reset("card"));
        refused("EBADF: the shell has not opened card", () -> command.close("card"));
        command.open("card");
        refused(
                "EINVAL: memory 'maybe'; expected on or off",
                () -> command.memory("card", "maybe"));
        refused(
                "EINVAL: offset 'x'; expected a number from 0 to 0x7fffffffffffffff",
                () -> command.export("card", "2", "x", "1"));
        refused(
                "EINVAL: BAR '9'; expected a number from 0 to 0x5",
                () -> command.export("card", "9", "0", "4096"));
    }
}
