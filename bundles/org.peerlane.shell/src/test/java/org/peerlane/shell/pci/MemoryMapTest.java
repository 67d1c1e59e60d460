package org.peerlane.shell.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.testkit.Rule;

@DisplayName("The memory map")
class MemoryMapTest {
    private static MemoryRegion ram(String name, long first, long bytes) {
        return new MemoryRegion(
                name,
                AddressRange.ofLength(new PhysicalAddress(first), bytes),
                Arena.ofAuto().allocate(bytes));
    }

    @Rule("PC-10")
    @Test
    void nestsBarsInTheWindowsThatLeadToThem() {
        List<MemoryRegion> ram = List.of(ram("ram1", 0x1_0000_0000L, 8192), ram("ram0", 0, 4096));
        assertThat(MemoryMap.of(ram, ExampleMachine.bus().functions()))
                .isEqualTo(
                        """
                        000000000-000000fff : System RAM (ram0)
                        0fe000000-0fe7fffff : PCI Bus 0000:02
                          0fe000000-0fe4fffff : PCI Bus 0000:03
                            0fe000000-0fe2fffff : PCI Bus 0000:04
                              0fe000000-0fe01ffff : 0000:04:00.0 BAR 0
                              0fe080000-0fe083fff : 0000:04:00.0 BAR 3
                              0fe100000-0fe11ffff : 0000:04:00.1 BAR 0
                              0fe180000-0fe183fff : 0000:04:00.1 BAR 3
                            0fe400000-0fe4fffff : PCI Bus 0000:05
                        0fea00000-0febfffff : PCI Bus 0000:01
                          0fea00000-0fea03fff : 0000:01:00.0 BAR 0
                          0feb00000-0febfffff : 0000:00:04.0 BAR 0
                        100000000-100001fff : System RAM (ram1)
                        800000000-8000fffff : PCI Bus 0000:01 prefetchable
                        810000000-83fffffff : PCI Bus 0000:02 prefetchable
                          810000000-81fffffff : PCI Bus 0000:03 prefetchable
                            810000000-81fffffff : PCI Bus 0000:05 prefetchable
                              810000000-810003fff : 0000:05:00.0 BAR 0\
                        """);
    }

    @Test
    void namesTheSlotAndSaysWhatIsNotDecoded() {
        FakeFunction edu = ExampleMachine.edu("00:04.0").in("edu0").put(0x04, 2, 0);
        assertThat(MemoryMap.of(List.of(), List.of(edu)))
                .isEqualTo("feb00000-febfffff : 0000:00:04.0 BAR 0 (edu0) [disabled]");
    }

    @Rule("PC-4")
    @Test
    void leavesOutAFunctionThatHasLeft() {
        FakeFunction edu = ExampleMachine.edu("00:04.0");
        edu.leave();
        assertThat(MemoryMap.of(List.of(), List.of(edu))).isEmpty();
    }
}
