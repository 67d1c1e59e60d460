package org.peerlane.exporter.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.testkit.Rule;

@DisplayName("gpu:")
class GpuCommandTest {
    private final LiveExecution execution = new LiveExecution("gpu");
    private final GpuMachine machine = new GpuMachine(execution);
    private final GpuCommand command = new GpuCommand(execution, machine.driver, machine.spaces);

    GpuCommandTest() {
        machine.plug("gpu0", 0); // 4 MiB
        machine.plug("gpu1", 1, 4, 1, false); // of which the BAR shows 1
    }

    @AfterEach
    void close() {
        command.close();
        assertThat(machine.driver.gpus()).allSatisfy(card -> assertThat(card.buffers()).isEmpty());
        machine.close();
        execution.close();
    }

    @Test
    void lsShowsWhatThereIsAndWhatIsVisible() {
        assertThat(command.ls().lines())
                .hasSize(5)
                .anySatisfy(line ->
                        assertThat(line)
                                .containsPattern("gpu0 .* VRAM +0x400000 +0x400000 +0x\\d+ +0 +0"))
                .anySatisfy(line ->
                        assertThat(line)
                                .containsPattern("gpu1 .* VRAM +0x400000 +0x100000 +0x\\d+ +0 +0"));
        assertThat(command.buffers()).isEqualTo("no buffers");
    }

    @Test
    void whatTheEngineFillsAndCopiesAProcessReads() {
        assertThat(command.alloc("gpu0", "0x2000")).isEqualTo("gpu0.1, 0x2000 bytes, VRAM");
        assertThat(command.alloc("gpu0", "5000", "gtt")).isEqualTo("gpu0.2, 0x2000 bytes, GTT");
        assertThat(command.fill("gpu0.1", "0xcafe")).isEqualTo("gpu0.1 is filled with 0x0000cafe");
        assertThat(command.copy("gpu0.1", "gpu0.2"))
                .isEqualTo("0x2000 bytes from gpu0.1 to gpu0.2");
        assertThat(command.peek("gpu0.2", "0x1ffc")).isEqualTo("0x0000cafe");
        command.poke("gpu0.2", "4096", "0xffffffff");
        assertThat(command.peek("gpu0.2", "4096")).isEqualTo("0xffffffff");
        assertThat(command.peek("gpu0.2", "4100")).isEqualTo("0x0000cafe");
        assertThat(command.free("gpu0.1")).isEqualTo("gpu0.1 is given back");
        assertThat(command.buffers()).contains("gpu0.2").doesNotContain("gpu0.1");
    }

    @Test
    void aPeerCopiesOutOfTheOthersVram() {
        machine.direct();
        command.alloc("gpu0", "8192", "vram");
        command.alloc("gpu1", "8192");
        command.fill("gpu0.1", "7");
        assertThat(command.export("gpu0.1")).isEqualTo("gpu0.1 is DMA-BUF 1");
        assertThat(command.export("gpu0.1")).isEqualTo("gpu0.1 is DMA-BUF 1");
        assertThat(command._import("gpu1", "gpu0.1")).contains("gpu1.2, 0x2000 bytes, imported");
        command.copy("gpu1.2", "gpu1.1");
        assertThat(command.peek("gpu1.1", "8188")).isEqualTo("0x00000007");
        assertThat(command.buffers()).containsPattern("gpu0.1 +0x2000 +1 +0 +VRAM");
        assertThat(machine.core.violations()).isEmpty();
        command.free("gpu0.1");
        assertThat(machine.core.buffers()).as("gpu1 still has it").hasSize(1);
        command.free("gpu1.2");
    }

    @Test
    @Rule("GX-2")
    void takingInOnesOwnIsTheSameBufferAndOneFreeEndsIt() {
        command.alloc("gpu0", "4096");
        assertThat(command._import("gpu0", "gpu0.1")).startsWith("gpu0.1, 0x1000 bytes, VRAM");
        command.free("gpu0.1");
        assertThat(command.buffers()).isEqualTo("no buffers");
    }

    @Test
    void movesEvictionAndPressureSayWhoLeft() {
        command.alloc("gpu0", "0x10000");
        command.fill("gpu0.1", "0x1234");
        assertThat(command.move("gpu0.1", "system")).isEqualTo("gpu0.1, 0x10000 bytes, SYSTEM");
        assertThat(command.move("gpu0.1", "vram")).isEqualTo("gpu0.1, 0x10000 bytes, VRAM");
        assertThat(command.evict("gpu0")).isEqualTo("1 buffers have left the VRAM of gpu0");
        command.move("gpu0.1", "vram");
        assertThat(command.pressure("gpu0"))
                .matches(
                        "\\d+ buffers of 0x10000 bytes until they evicted each other; "
                                + "1 others had to leave the VRAM of gpu0: gpu0.1");
        assertThat(command.buffers().lines()).as("its own are given back").hasSize(2);
        assertThat(command.peek("gpu0.1", "0xfffc")).isEqualTo("0x00001234");
    }

    @Test
    void whatIsInvisibleMayLieBeyondTheBar() {
        assertThat(command.alloc("gpu1", "4096", "vram", "invisible"))
                .isEqualTo("gpu1.1, 0x1000 bytes, VRAM, beyond the BAR");
        assertThat(command.alloc("gpu1", "4096", "invisible")).contains("beyond the BAR");
        assertThat(command.peek("gpu1.1", "0")).isEqualTo("0x00000000");
        assertThat(command.buffers()).containsPattern("gpu1.1 .* VRAM\n");
    }

    @Test
    void aResetSaysWhatItCost() {
        command.alloc("gpu0", "4096");
        command.alloc("gpu0", "4096", "gtt");
        command.fill("gpu0.1", "1");
        assertThat(command.reset("gpu0"))
                .isEqualTo("gpu0 has been reset; content was lost of gpu0.1");
        assertThat(command.buffers()).containsPattern("gpu0.1 +0x1000 +- +1 +VRAM");
        assertThat(command.peek("gpu0.1", "0")).isEqualTo("0x00000000");
        assertThat(command.ls()).containsPattern("gpu0 .* VRAM .* 1\n");
    }

    @Test
    void whatACardTookAwayWithItIsForgotten() {
        command.alloc("gpu0", "4096");
        command.export("gpu0.1");
        machine.root.pull("gpu0");
        machine.settle();
        assertThat(command.buffers()).isEqualTo("no buffers");
        assertThat(machine.core.buffers()).isEmpty();
        assertThatThrownBy(() -> command.free("gpu0.1"))
                .hasMessageContaining("ENODEV: no GPU 'gpu0'; there are [gpu1]");
    }

    @Test
    void othersBuffersCanBeUsedAndNotFreed() {
        try (GpuBuffer others = machine.driver.gpu("gpu0").allocate(GpuAllocation.of(4096))) {
            command.fill(others.toString(), "3");
            assertThatThrownBy(() -> command.free("gpu0.1"))
                    .hasMessageContaining("ENOENT: gpu0.1 is none of the shell's");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gpu9 | 4096   | both | ENODEV: no GPU 'gpu9'; there are [gpu0, gpu1]",
                "gpu0 | much   | both | EINVAL: length 'much'; expected a number",
                "gpu0 | 0      | both | EINVAL: a buffer of 0x0 bytes; expected at least 1",
                "gpu0 | -1     | both | EINVAL: length '-1'; expected a number from 0 to",
                "gpu0 | 4096   | disk | EINVAL: placement 'disk'; expected vram, gtt or both",
                "gpu0 | 8388608| vram | ENOMEM: 0x800000 bytes in the VRAM of gpu0"
            })
    void whatCannotBeAllocatedIsRefusedInOneSentence(
            String card, String bytes, String where, String sentence) {
        assertThatThrownBy(() -> command.alloc(card, bytes, where)).hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gpu0   | 0    | EINVAL: buffer 'gpu0'; expected a card and a number, such as gpu0.3",
                "gpu0.x | 0    | EINVAL: buffer 'gpu0.x'; expected a card and a number",
                "gpu0.7 | 0    | ENOENT: there is no buffer 'gpu0.7'; gpu:buffers lists them",
                "gpu9.1 | 0    | ENODEV: no GPU 'gpu9'",
                "gpu0.1 | 2    | EINVAL: offset 0x2; expected a multiple of 4 below 0x1000",
                "gpu0.1 | 4096 | EINVAL: offset 0x1000; expected a multiple of 4 below 0x1000",
                "gpu0.1 | -4   | EINVAL: offset '-4'; expected a number from 0 to",
                "gpu0.1 | x    | EINVAL: offset 'x'; expected a number"
            })
    void whatCannotBeReadIsRefusedInOneSentence(String buffer, String offset, String sentence) {
        command.alloc("gpu0", "4096");
        assertThatThrownBy(() -> command.peek(buffer, offset)).hasMessageContaining(sentence);
    }

    @Test
    void otherMistakesAreRefusedInOneSentence() {
        command.alloc("gpu0", "4096");
        command.alloc("gpu1", "4096");
        assertThatThrownBy(() -> command.copy("gpu0.1", "gpu1.1"))
                .hasMessageContaining("EINVAL: gpu1.1 is no buffer of gpu0; import it first");
        assertThatThrownBy(() -> command.copy("gpu0.1", "gpu0.1"))
                .hasMessageContaining("EINVAL: a copy from gpu0.1 to itself");
        assertThatThrownBy(() -> command.fill("gpu0.1", "0x100000000"))
                .hasMessageContaining(
                        "EINVAL: pattern '0x100000000'; expected a number from 0 to 0xffffffff");
        assertThatThrownBy(() -> command.move("gpu0.1", "both"))
                .hasMessageContaining("EINVAL: placement 'both'; expected vram, gtt or system");
        assertThatThrownBy(() -> command.alloc("gpu0", "4096", "vram", "hidden"))
                .hasMessageContaining("EINVAL: 'hidden'; expected invisible, or nothing");
        command._import("gpu1", "gpu0.1");
        assertThatThrownBy(() -> command.move("gpu1.2", "gtt"))
                .hasMessageContaining("EINVAL: gpu1.2 is imported; only its exporter moves it");
    }
}
