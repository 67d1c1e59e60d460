package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.config.ConfigSpace;
import org.peerlane.testkit.Rule;

@DisplayName("Config space")
class ConfigSpaceTest {
    private final TestMachine machine = new TestMachine();
    private final PcieFunction function = machine.plug();

    @AfterEach
    void stop() {
        machine.close();
    }

    @Rule("PC-3")
    @ParameterizedTest
    @CsvSource({"3, 2", "1, 4", "2, 4", "0, 8", "0, 3", "0, 0", "-1, 1", "4096, 1", "4094, 4"})
    void anAccessThatIsNotInsideOneDwordReadsOnesAndWritesNothing(int offset, int bytes) {
        assertThat(function.readConfig(offset, bytes)).isEqualTo(ConfigSpace.ones(bytes));
        List<Long> before = dump();
        function.writeConfig(offset, bytes, -1);
        assertThat(dump()).isEqualTo(before);
    }

    private List<Long> dump() {
        return java.util.stream.IntStream.range(0, 1024)
                .mapToObj(i -> function.readConfig(i * 4, 4))
                .toList();
    }

    @Rule("PC-3")
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void everyWidthReadsTheSameBytes(int bytes) {
        for (int at = 0; at < 256; at += bytes) {
            long dword = function.readConfig(at & ~3, 4);
            assertThat(function.readConfig(at, bytes))
                    .isEqualTo(dword >>> (at & 3) * 8 & ConfigSpace.ones(bytes));
        }
    }

    @Rule("PC-4")
    @Test
    void anAbsentFunctionReadsAllOnes() {
        assertThat(machine.root.readConfig(0x20, 0, 4)).isEqualTo(0x11E8_1234L);
        assertThat(machine.root.readConfig(0x28, 0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(machine.root.readConfig(0x28, 0, 2)).isEqualTo(0xFFFFL);
        machine.root.removeType(machine.type);
        assertThat(machine.root.readConfig(0x20, 0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(function.readConfig(0, 2)).isEqualTo(0xFFFFL);
        function.writeConfig(Offsets.COMMAND, 2, 6);
        assertThat(function.isPresent()).isFalse();
    }

    @Rule("PC-9")
    @Test
    void theHeaderIsMadeOfTheLayout() {
        assertThat(function.readConfig(0x00, 2)).isEqualTo(0x1234);
        assertThat(function.readConfig(0x02, 2)).isEqualTo(0x11E8);
        assertThat(function.readConfig(0x08, 1)).isEqualTo(0x10);
        assertThat(function.readConfig(0x08, 4) >>> 8).isEqualTo(0x00FF00);
        assertThat(function.readConfig(0x0E, 1)).isZero();
        assertThat(function.readConfig(0x2C, 2)).isEqualTo(0x1AF4);
        assertThat(function.readConfig(0x2E, 2)).isEqualTo(0x1100);
        function.writeConfig(0x00, 4, 0);
        function.writeConfig(0x08, 4, 0);
        function.writeConfig(0x2C, 4, 0);
        assertThat(function.readConfig(0x00, 4)).isEqualTo(0x11E8_1234L);
        assertThat(function.readConfig(0x08, 4)).isEqualTo(0x00FF_0010L);
        assertThat(function.readConfig(0x2C, 4)).isEqualTo(0x1100_1AF4L);
    }

    @Rule("PC-7")
    @Test
    void commandTakesItsDefinedBitsOnly() {
        function.writeConfig(Offsets.COMMAND, 2, 0xFFFF);
        assertThat(function.readConfig(Offsets.COMMAND, 2)).isEqualTo(0x0546);
    }
}
