package org.peerlane.shell.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.shell.pci.FakeBus;
import org.peerlane.shell.pci.FakeFunction;
import org.peerlane.testkit.Explore;

@DisplayName("mem:read, mem:write, mem:poll")
class MemoryAccessCommandTest {
    private final FakeBus bus =
            new FakeBus(
                    new FakeFunction("00:04.0", 0x1234, 0x11E8, 0x00FF00, 0)
                            .in("edu0")
                            .bar(0, 0xFEB0_0000L, 1 << 20));

    @Explore(schedules = 1)
    void readsAndWritesAnAddressOrAPlaceInABar(Execution execution) {
        MemoryAccessCommand command = new MemoryAccessCommand(bus, execution);
        bus.loads().addAll(List.of(0xEDL, 0x12L));
        assertThat(command.read("0x1000", "32")).isEqualTo("0x000000ed");
        assertThat(command.read("00:04.0.bar0+0xfffff", "8")).isEqualTo("0x12");
        assertThat(command.read("edu0.bar0", "64")).isEqualTo("0xffffffffffffffff");
        command.write("edu0.bar0+0x88", "64", "0xffffffffffffffff");
        command.write("4096", "16", "65535");
        assertThat(bus.calls())
                .containsExactly(
                        "load 0x1000, 4",
                        "load 0xfebfffff, 1",
                        "load 0xfeb00000, 8",
                        "store 0xfeb00088, 8, 0xffffffffffffffff",
                        "store 0x1000, 2, 0xffff");
    }

    @Explore(schedules = 1)
    void pollsUntilTheBitsAreAsWanted(Execution execution) throws InterruptedException {
        MemoryAccessCommand command = new MemoryAccessCommand(bus, execution);
        bus.loads().addAll(List.of(9L, 9L, 8L));
        assertThat(command.poll("edu0.bar0+0x98", "64", "1", "0")).isEqualTo("0x0000000000000008");
        assertThat(bus.calls()).hasSize(3);
        assertThatThrownBy(() -> command.poll("edu0.bar0+0x98", "32", "1", "0"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining(
                        "ETIMEDOUT: edu0.bar0+0x98 reads 0xffffffff after 5 s;"
                                + " expected 0x0 in the bits 0x1");
    }

    @Explore(schedules = 1)
    void aMistakeIsOneSentenceAndReachesNobody(Execution execution) {
        MemoryAccessCommand command = new MemoryAccessCommand(bus, execution);
        refused(() -> command.read("0x1001", "32"), "0x1001 is 0x1001; expected a multiple of 4");
        refused(() -> command.read("edu0.bar0+2", "32"), "edu0.bar0+2 is 0xfeb00002; expected");
        refused(() -> command.read("edu0.bar0+0xffffd", "32"), "offset '0xffffd'; expected");
        refused(() -> command.read("edu0.bar1", "32"), "has no BAR 1");
        refused(() -> command.read("edu9.bar0", "32"), "there is no function 'edu9'");
        refused(() -> command.read("edu0", "32"), "address 'edu0'; expected a number");
        refused(() -> command.read("0", "12"), "'12' bits; expected 8, 16, 32 or 64");
        refused(() -> command.write("0", "8", "0x100"), "value '0x100'; expected");
        refused(() -> command.poll("0", "8", "1", "2"), "value '2'; expected");
        assertThat(bus.calls()).isEmpty();
    }

    private interface Call {
        void run() throws InterruptedException;
    }

    private static void refused(Call call, String part) {
        assertThatThrownBy(call::run).isInstanceOf(ErrnoException.class).hasMessageContaining(part);
    }
}
