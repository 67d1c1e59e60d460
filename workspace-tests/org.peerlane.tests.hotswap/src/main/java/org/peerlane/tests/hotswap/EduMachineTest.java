package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.Machine;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.PhysicalMemory;

@DisplayName("The edu machine")
class EduMachineTest {
    @InjectService(timeout = 20_000)
    Machine machine;

    @InjectService(timeout = 20_000)
    PcieBus bus;

    @InjectService(timeout = 20_000)
    PhysicalMemory memory;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    @TempDir Path folder;

    @BeforeEach
    void settle() throws Exception {
        assertThat(bus.settle(10_000_000_000L)).isTrue();
    }

    @Test
    void comesUpAsItsBoardFileSays() {
        assertThat(machine.isUp()).isTrue();
        assertThat(machine.problems()).isEmpty();
        assertThat(machine.name()).isEqualTo("edu");
        assertThat(machine.profile()).isEqualTo(Profile.DEFAULT);
        assertThat(memory.pages().totalPages())
                .as("256 MiB but for the first MiB")
                .isEqualTo((255L << 20) / 4096);
        assertThat(bus.functions())
                .singleElement()
                .satisfies(f -> {
                    assertThat(f.slot()).isEqualTo("edu0");
                    assertThat(f.address()).hasToString("0000:00:04.0");
                    assertThat(f.vendorId()).isEqualTo(0x1234);
                    assertThat(f.deviceId()).isEqualTo(0x11e8);
                });
    }

    @Test
    void answersAtItsRegisters() {
        PcieFunction edu = bus.functions().getFirst();
        assertThat(edu.read(0, 0, 4)).isEqualTo(0x0100_00edL);
        edu.write(0, 4, 4, 0x1234_5678);
        assertThat(edu.read(0, 4, 4)).isEqualTo(~0x1234_5678 & 0xFFFF_FFFFL);
    }

    @ParameterizedTest(name = "{0} bytes")
    @ValueSource(ints = {0, 1, 4095, 4096, 4097, 9_000_001})
    void copiesAFileByItsDmaEngine(int bytes) throws Exception {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        Path file = Files.write(folder.resolve("some file"), content);
        long free = memory.pages().freePages();

        String printed = new Shell(processor).run("edu:copy '" + file + "'");

        String sum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        assertThat(printed.split(sum, -1)).as(printed).hasSize(3);
        assertThat(memory.pages().freePages()).isEqualTo(free);
    }
}
