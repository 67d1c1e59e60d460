package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.SavedState;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Window;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("A BAR with memory behind it, in a process")
class BarMemoryTest {
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final long ONES = 0xFFFF_FFFFL;
    private static final int DEVICE_CONTROL = 8;
    private static final int FLR = 1 << 15;

    private final Passthrough machine = new Passthrough();
    private MemorySegment vram;
    private PcieFunction function;
    private VfioFile file;
    private AddressSpace process;
    private CpuMapping mapping;
    private long at;

    @BeforeEach
    void map() {
        FunctionLayout card =
                FunctionLayout.of(0x1234, 1, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .bar(Objects.requireNonNull(Passthrough.card().bars().get(1)))
                        .with(CapabilityLayout.Express.plain())
                        .build();
        vram = Objects.requireNonNull(card.bars().get(1).memory());
        function = machine.plug("card", "sw0.0", 0, card);
        file = machine.open("card");
        process = machine.spaces.create("vmm");
        mapping = file.mmap(process, 0, 0x2000, RW, AddressSpace.MAP_SHARED, VfioFile.offset(2));
        at = mapping.first();
        process.store(at, 4, 0x1111);
    }

    @AfterEach
    void close() {
        process.close();
        file.put();
        machine.close();
    }

    private int word() {
        return vram.get(ValueLayout.JAVA_INT, 0);
    }

    @Test
    void aWindowOntoItIsTheMemoryItself() {
        Window window = mapping.window(at, true);
        window.segment().set(ValueLayout.JAVA_INT, 0, 0x2222);
        assertThat(word()).isEqualTo(0x2222);
        CpuMapping registers =
                file.mmap(process, 0, 0x1000, RW, AddressSpace.MAP_SHARED, VfioFile.offset(0));
        assertThatThrownBy(() -> registers.window(registers.first(), false))
                .isInstanceOf(BusError.class);
    }

    @Test
    @Rule("VF-29")
    @Rule("VF-41")
    @Rule("VF-42")
    void aWindowIsClosedWithMemoryAndOpensAgainWithIt() {
        Window window = mapping.window(at, true);
        Passthrough.memory(file, false);
        assertThat(window.isOpen()).isFalse();
        assertThatThrownBy(window::segment).isInstanceOf(BusError.class);
        assertThatThrownBy(() -> process.store(at, 4, 1)).isInstanceOf(BusError.class);
        Passthrough.memory(file, true);
        assertThat(window.segment().get(ValueLayout.JAVA_INT, 0)).isEqualTo(0x1111);
    }

    @Test
    void whoSwitchesItOffBehindTheBackOfItsDriverTakesItFromProcesses() {
        Window window = mapping.window(at, true);
        function.enable(false, false);
        assertThat(process.load(at, 4)).isEqualTo(ONES);
        process.store(at, 4, 0x3333);
        assertThat(word()).isEqualTo(0x1111);
        assertThat(window.isOpen()).isFalse();
        function.enable(true, false);
        assertThat(process.load(at, 4)).isEqualTo(0x1111);
        window.segment().set(ValueLayout.JAVA_INT, 0, 0x4444);
        assertThat(word()).isEqualTo(0x4444);
    }

    @Test
    void aResetBehindTheBackOfItsDriverFindsNobody() {
        Window window = mapping.window(at, true);
        long[] seen = new long[1];
        machine.silicon.get("card").onReset =
                () -> {
                    seen[0] = process.load(at, 4);
                    process.store(at, 4, 0x3333);
                    assertThat(window.isOpen()).isFalse();
                };
        int express = 0;
        for (int cap = (int) function.readConfig(0x34, 1); cap != 0; ) {
            express = function.readConfig(cap, 1) == 0x10 ? cap : express;
            cap = (int) function.readConfig(cap + 1, 1);
        }
        SavedState before = new SavedState(function);
        function.writeConfig(express + DEVICE_CONTROL, 2, FLR);
        machine.silicon.get("card").onReset = () -> {};
        assertThat(seen[0]).isEqualTo(ONES);
        assertThat(word()).isEqualTo(0x1111);
        assertThat(process.load(at, 4)).as("the reset has switched memory off").isEqualTo(ONES);
        before.restore();
        assertThat(process.load(at, 4)).isEqualTo(0x1111);
    }

    @Test
    void aPortAboveThatForwardsNothingTakesItToo() {
        PcieFunction port = machine.function("sw0.0");
        port.enable(false, true);
        assertThat(process.load(at, 4)).isEqualTo(ONES);
        port.enable(true, true);
        assertThat(process.load(at, 4)).isEqualTo(0x1111);
    }

    @Test
    @Rule("VF-50")
    void aResetByTheFileLetsTouchesIn() {
        Window window = mapping.window(at, true);
        machine.silicon.get("card").onReset =
                () -> assertThat(window.isOpen()).as("open in reset").isFalse();
        file.reset();
        assertThat(process.load(at, 4)).isEqualTo(0x1111);
        assertThat(window.segment().get(ValueLayout.JAVA_INT, 0)).isEqualTo(0x1111);
    }

    @Test
    void whatIsPulledOutIsABusError() {
        Window window = mapping.window(at, true);
        machine.root.pull("card");
        assertThat(window.isOpen()).isFalse();
        assertThatThrownBy(() -> process.load(at, 4)).isInstanceOf(BusError.class);
    }
}
