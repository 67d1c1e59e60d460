package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.MemoryWatcher;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.testkit.Rule;

@DisplayName("Memory of devices that is watched")
class MemoryWatchTest {
    private static final int VRAM = 2;

    private final TestMachine machine =
            new TestMachine(
                    List.of(HostBridgeConfig.DEFAULT),
                    List.of(new PortConfig("rp0", "00:01.0", 0, false, true)),
                    false);
    private final PcieFunction card = machine.plugBelow("rp0", "card");
    private final long vram = card.bar(VRAM).first().value();
    private final List<@Nullable MemorySegment> told = new ArrayList<>();
    private final MemoryWatcher watcher = told::add;

    @AfterEach
    void close() {
        machine.close();
    }

    private void watch(long first, long bytes) {
        machine.root.watchMemory(AddressRange.ofLength(new PhysicalAddress(first), bytes), watcher);
    }

    @Test
    void whatTheCpuReachesIsToldAtOnceAndWhenItChanges() {
        card.enable(true, false);
        watch(vram + 0x100, 0x100);
        assertThat(told).hasSize(1);
        MemorySegment bytes = told.getFirst();
        assertThat(bytes).isNotNull();
        assertThat(bytes.byteSize()).isEqualTo(0x100);
        bytes.set(ValueLayout.JAVA_BYTE, 4, (byte) 0x5A);
        assertThat(card.read(VRAM, 0x104, 1)).isEqualTo(0x5A);
        card.enable(true, true);
        assertThat(told).as("nothing has changed").hasSize(1);
        card.enable(false, false);
        assertThat(told).containsExactly(bytes, null);
        card.enable(true, false);
        assertThat(told).containsExactly(bytes, null, bytes);
        machine.function("rp0").enable(false, false);
        assertThat(told).as("the port above").hasSize(4).endsWith((MemorySegment) null);
        machine.function("rp0").enable(true, true);
        machine.root.unwatchMemory(watcher);
        card.enable(false, false);
        assertThat(told).hasSize(5);
    }

    @Test
    void onlyMemoryBehindOneBarIsMemory() {
        card.enable(true, false);
        watch(card.bar(0).first().value(), 16);
        watch(0x1000, 0x1000); // RAM
        watch(vram, 2 * card.bar(VRAM).bytes());
        watch(0x10_0000_0000L, 16);
        assertThat(told).isEmpty();
    }

    @Test
    @Rule("PC-62")
    @Rule("PC-68")
    void nobodyHasItInAResetOrWhenTheCardIsOut() {
        card.enable(true, false);
        watch(vram, 16);
        int express = Capabilities.legacy((BusFunction) card, 0x10);
        card.writeConfig(express + 8, 2, 1 << 15);
        assertThat(told).hasSize(2).endsWith((MemorySegment) null);
        card.writeConfig(0x10 + 4 * VRAM, 4, vram);
        card.writeConfig(0x14 + 4 * VRAM, 4, vram >>> 32);
        card.enable(true, false);
        assertThat(told).hasSize(3);
        machine.root.pull("card");
        assertThat(told).hasSize(4).endsWith((MemorySegment) null);
    }

    @Test
    void whatAWatcherThrowsDoesNotStopWhoSwitchesOff() {
        card.enable(true, false);
        machine.root.watchMemory(
                AddressRange.ofLength(new PhysicalAddress(vram), 16),
                bytes -> {
                    throw new IllegalStateException("in use");
                });
        watch(vram, 16);
        card.enable(false, false);
        assertThat(told).hasSize(2);
    }
}
