package org.peerlane.exporter.systemheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("heap:")
class HeapCommandTest {
    private final HeapMachine machine = new HeapMachine(false);
    private final HeapCommand command = new HeapCommand(machine.execution, machine.heap);

    @AfterEach
    void close() {
        command.close();
        assertThat(machine.core.buffers()).isEmpty();
        machine.close();
    }

    @Test
    void buffersAreHeldUntilTheyAreGivenBack() {
        assertThat(command.ls()).isEqualTo("no buffers");
        assertThat(command.alloc("5000")).isEqualTo("buffer 1, 0x2000 bytes");
        assertThat(command.alloc("0x100000")).isEqualTo("buffer 2, 0x100000 bytes");
        assertThat(command.ls().lines())
                .containsExactly("buffer 1, 0x2000 bytes", "buffer 2, 0x100000 bytes");
        assertThat(command.free("1")).isEqualTo("buffer 1 is given back");
        assertThat(command.ls()).isEqualTo("buffer 2, 0x100000 bytes");
    }

    @Test
    void aHeapMayBeNamed() {
        assertThatThrownBy(() -> command.alloc("4096", "system"))
                .hasMessageContaining("ENOENT: no heap 'system'; there are []");
        command.heaps = List.of(machine.heap);
        assertThat(command.alloc("4096", "system")).isEqualTo("buffer 1, 0x1000 bytes");
        assertThatThrownBy(() -> command.alloc("4096", "other"))
                .hasMessageContaining("no heap 'other'; there are [system]");
    }

    @Test
    void whatCannotBeIsRefusedInOneSentence() {
        assertThatThrownBy(() -> command.free("7"))
                .hasMessageContaining("ENOENT: buffer 7 is none");
        assertThatThrownBy(() -> command.alloc("much"))
                .hasMessageContaining(
                        "EINVAL: length 'much'; expected a number from 0 to 0x7fffffffffffffff");
        assertThatThrownBy(() -> command.alloc("0"))
                .hasMessageContaining("EINVAL: a buffer of 0x0");
    }
}
