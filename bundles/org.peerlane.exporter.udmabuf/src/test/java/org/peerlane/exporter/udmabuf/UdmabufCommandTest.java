package org.peerlane.exporter.udmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("udmabuf:")
class UdmabufCommandTest {
    private final UdmabufMachine machine = new UdmabufMachine();
    private final UdmabufCommand command = new UdmabufCommand(machine.udmabuf, machine.spaces);

    @AfterEach
    void close() {
        command.closeAll();
        machine.close(); // counts buffers and pages
    }

    @Test
    void aBufferIsThereUntilItsDescriptorIsClosed() {
        assertThat(command.create("0x2000"))
                .isEqualTo("descriptor 0 is a memfd of 0x2000 bytes, descriptor 1 a buffer of it");
        assertThat(command.close("0")).isEqualTo("descriptor 0 is closed");
        assertThat(machine.core.buffers()).hasSize(1);
        assertThat(command.close("1")).isEqualTo("descriptor 1 is closed");
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    void whatCannotBeIsRefusedAndLeavesNoDescriptor() {
        assertThatThrownBy(() -> command.create("100")).hasMessageContaining("whole pages");
        assertThatThrownBy(() -> command.create("-4096")).hasMessageContaining("EINVAL");
        assertThatThrownBy(() -> command.create("much")).hasMessageContaining("'much'; expected");
        assertThatThrownBy(() -> command.close("0")).hasMessageContaining("EBADF");
        assertThatThrownBy(() -> command.close("0x100000000")).hasMessageContaining("EINVAL");
    }
}
