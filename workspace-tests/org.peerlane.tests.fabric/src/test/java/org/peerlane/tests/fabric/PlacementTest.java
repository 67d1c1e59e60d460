package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.PcieDriver;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.pcie.BusEvents;
import org.peerlane.bus.pcie.HostBridgeConfig;
import org.peerlane.bus.pcie.PortConfig;
import org.peerlane.bus.pcie.SlotConfig;
import org.peerlane.bus.pcie.TypeVersion;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;

@DisplayName("Placement of BARs")
class PlacementTest {
    private static final long MIB = 1 << 20;
    private static final long GIB = 1L << 30;
    private static final long LOW = 0xC000_0000L;
    private static final long HIGH = 0x80_0000_0000L;

    private final LiveExecution live = new LiveExecution("placement");
    private final Warnings warnings = new Warnings();
    private final Driver driver = new Driver();
    private Rig rig = new Rig(live, List.of(), false);

    /** Needs BAR 0, and says who came and went. */
    private static final class Driver implements PcieDriver {
        final List<String> calls = Collections.synchronizedList(new ArrayList<>());

        @Override
        public boolean matches(PcieFunction function) {
            return function.classCode() == 0x00FF00;
        }

        @Override
        public void probe(PcieFunction function) {
            assertThat(function.bar(0).bytes()).isPositive();
            function.enable(true, true);
            calls.add("probe " + function.slot());
        }

        @Override
        public void remove(PcieFunction function, boolean gone) {
            calls.add((gone ? "gone " : "remove ") + function.slot());
        }

        List<String> take() {
            List<String> taken = List.copyOf(calls);
            calls.clear();
            return taken;
        }
    }

    @AfterEach
    void stop() {
        rig.close();
        warnings.close();
        live.close();
    }

    /** A machine with so many bytes below and above 4 GiB, and a driver. */
    private void machine(long low, long high, boolean rebalance, PortConfig... ports) {
        rig.close();
        HostBridgeConfig host =
                new HostBridgeConfig(
                        "pc",
                        0,
                        0,
                        0xFF,
                        LOW,
                        LOW + low - 1,
                        HIGH,
                        HIGH + high - 1,
                        0x7F_E000_0000L,
                        0,
                        true,
                        true,
                        false);
        rig = new Rig(live, host, List.of(ports), false, false, rebalance);
        rig.root.addDriver(driver, "needy");
    }

    /** A hot-plug root port that keeps so many bytes free below 4 GiB. */
    private static PortConfig port(int i, long reserve) {
        return new PortConfig("rp" + i, "00:%02x.0".formatted(i + 1), 0, true, true, 0, reserve, 0);
    }

    private DeviceType type(String name, BarLayout bar, CapabilityLayout... more) {
        DeviceType type = slot -> new Shape(slot, List.of(bar), more);
        rig.root.addType(type, name, TypeVersion.of(1, 0, 0));
        return type;
    }

    private static BarLayout low(long bytes) {
        return BarLayout.registers(0, bytes, false, false);
    }

    private static BarLayout high(long bytes) {
        return BarLayout.registers(0, bytes, true, true);
    }

    private void slot(String name, String device, String port) {
        rig.root.addSlot(SlotConfig.below(port, name, device, Map.of()));
        rig.settle();
    }

    private long base(String slot) {
        PcieFunction function = rig.function(slot);
        long bytes = function.bar(0).bytes();
        assertThat(function.read(0, bytes - 1, 1)).as(slot).isEqualTo(1);
        return function.bar(0).first().value();
    }

    private void unplaced(String slot) {
        PcieFunction function = rig.function(slot);
        assertThatThrownBy(() -> function.bar(0)).hasMessageContaining("with an address");
        assertThat(function.readConfig(0x10, 4) & ~0xFL).as("lspci: <unassigned>").isZero();
        assertThat(function.readConfig(0x04, 2) & 2).as("memory decode").isZero();
    }

    /**
     * 8 MiB: a big device has been taken out, a small one sits at its place now and another behind
     * it, and the big one comes back.
     */
    private void bigOneComesBack(boolean rebalance) {
        machine(8 * MIB, GIB, rebalance, port(0, 0), port(1, 0), port(2, 0));
        type("big", low(4 * MIB));
        type("small", low(MIB));
        slot("big", "big", "rp0");
        slot("behind", "small", "rp1");
        rig.root.pull("big");
        slot("inside", "small", "rp2");
        assertThat(base("inside")).isEqualTo(LOW);
        assertThat(base("behind")).isEqualTo(LOW + 4 * MIB);
        assertThat(warnings.lines()).isEmpty();
        driver.take();
        rig.root.plug("big");
        rig.settle();
    }

    @Test
    @Rule("PC-70")
    void whatIsPluggedInStopsNobodyAndIsNamedWithWhatIsInItsWay() {
        bigOneComesBack(false);
        unplaced("big");
        assertThat(driver.take()).isEmpty();
        assertThat(base("inside")).isEqualTo(LOW);
        assertThat(base("behind")).isEqualTo(LOW + 4 * MIB);
        assertThat(warnings.lines())
                .singleElement()
                .asString()
                .contains("(big): BAR 0 of 0x400000 bytes has no address", "port rp0")
                .containsPattern("0000:0[23]:00.0 \\((inside|behind)\\), which needy drives");
    }

    @Test
    @Rule("PC-70")
    void whatHasNoAddressGetsOneAsSoonAsSomebodyLeaves() {
        bigOneComesBack(false);
        rig.root.pull("inside");
        rig.settle();
        assertThat(base("big")).isEqualTo(LOW);
        assertThat(driver.take()).containsExactly("gone inside", "probe big");
    }

    @Test
    @Rule("PC-70")
    void ifTheBoardSaysSoExactlyTheOneInTheWayIsStoppedAndMoved() {
        bigOneComesBack(true);
        base("big");
        base("inside");
        base("behind");
        List<String> calls = driver.take();
        String moved = calls.getFirst().substring("remove ".length());
        assertThat(List.of("inside", "behind")).contains(moved);
        assertThat(calls).containsExactly("remove " + moved, "probe " + moved, "probe big");
        assertThat(warnings.lines()).isEmpty();
    }

    @Test
    void theFirstDeviceOfASlotMayMoveOthersHoweverLateItComes() {
        machine(3 * MIB, GIB, false, port(0, 0), port(1, 0), port(2, 0));
        type("small", low(MIB));
        slot("late", "late", "rp0");
        slot("out", "small", "rp1");
        slot("moves", "small", "rp2");
        rig.root.pull("out");
        rig.settle();
        assertThat(base("moves")).as("in the middle").isEqualTo(LOW + MIB);
        driver.take();
        type("late", low(2 * MIB));
        rig.settle();
        base("late");
        base("moves");
        assertThat(driver.take()).containsExactly("remove moves", "probe moves", "probe late");
        assertThat(warnings.lines()).isEmpty();
    }

    /** A small device is replaced by one of 2 MiB while its neighbour works; 3 MiB in all. */
    private void replaced(long reserve) {
        machine(3 * MIB, GIB, false, port(0, reserve), port(1, 0));
        DeviceType old = type("nic", low(4096));
        type("small", low(MIB));
        slot("nic", "nic", "rp0");
        slot("neighbour", "small", "rp1");
        driver.take();
        rig.root.removeType(old);
        type("nic", low(2 * MIB));
        rig.settle();
    }

    @Test
    @Rule("PC-42")
    void aHotPlugSlotHasWhatItKeepsFree() {
        replaced(2 * MIB);
        assertThat(base("nic")).isEqualTo(LOW);
        assertThat(driver.take()).containsExactly("gone nic", "probe nic");
        assertThat(warnings.lines()).isEmpty();
    }

    @Test
    void withoutAReserveTheNeighbourIsInTheWay() {
        replaced(0);
        unplaced("nic");
        assertThat(driver.take()).containsExactly("gone nic");
        assertThat(warnings.lines()).singleElement().asString().contains("(neighbour)");
    }

    @Test
    @Rule("PC-42")
    void aWindowThatGrowsPast4GiBNeverClosesOnTheWay() {
        machine(8 * MIB, 64 * GIB, false, port(0, 0));
        type("gpu", high(2 * GIB));
        slot("f0", "gpu", "rp0");
        long bar = base("f0");
        List<Long> seen = Collections.synchronizedList(new ArrayList<>());
        rig.tracer.attach(
                new TraceSink() {
                    @Override
                    public boolean wants(Class<? extends TraceEvent> type) {
                        return type == BusEvents.ConfigWrite.class;
                    }

                    @Override
                    public void accept(long nanos, TraceEvent event) {
                        seen.add(rig.root.load(bar, 1));
                    }
                });
        for (int i = 1; i < 4; i++) {
            rig.root.addSlot(new SlotConfig("f" + i, "gpu", "", "rp0", i, Map.of()));
        }
        rig.settle();
        base("f3");
        assertThat(base("f0")).isEqualTo(bar);
        assertThat(seen).isNotEmpty().containsOnly(1L);
    }

    @Test
    @Rule("PC-37")
    void aBarThatGrowsGetsAnAddressOrStaysWhatItWas() {
        machine(8 * MIB, 8 * GIB, false, port(0, 0), port(1, 0));
        long sizes = GIB / 4 | GIB / 2 | GIB | 2 * GIB | 4 * GIB | 8 * GIB;
        type("gpu", high(GIB / 4), new CapabilityLayout.ResizableBar(0, sizes));
        type("other", high(GIB / 4));
        slot("gpu", "gpu", "rp0");
        slot("other", "other", "rp1");
        driver.take();
        long other = base("other");
        PcieFunction gpu = rig.function("gpu");
        assertThatThrownBy(() -> gpu.resizeBar(0, GIB)).hasMessageContaining("EBUSY");
        gpu.enable(false, false);
        gpu.resizeBar(0, 4 * GIB);
        gpu.enable(true, true);
        assertThat(gpu.bar(0).bytes()).isEqualTo(4 * GIB);
        long big = base("gpu");
        assertThat(big % (4 * GIB)).isZero();
        gpu.enable(false, false);
        assertThatThrownBy(() -> gpu.resizeBar(0, 8 * GIB))
                .hasMessageContaining("ENOSPC")
                .hasMessageContaining("BAR 0 of 0x200000000 bytes");
        assertThatThrownBy(() -> gpu.resizeBar(0, 16 * GIB)).hasMessageContaining("EINVAL");
        assertThatThrownBy(() -> gpu.resizeBar(0, 3 * GIB)).hasMessageContaining("EINVAL");
        assertThatThrownBy(() -> rig.function("other").resizeBar(0, GIB))
                .hasMessageContaining("EOPNOTSUPP");
        gpu.enable(true, true);
        assertThat(gpu.bar(0).bytes()).isEqualTo(4 * GIB);
        assertThat(base("gpu")).isEqualTo(big);
        assertThat(base("other")).isEqualTo(other);
        assertThat(driver.take()).isEmpty();
    }

    @Test
    void aBarBiggerThanTheMachineIsNamedAndTheRestWorks() {
        machine(8 * MIB, GIB, false, port(0, 0), port(1, 0));
        type("huge", low(16 * MIB));
        type("small", low(MIB));
        slot("huge", "huge", "rp0");
        slot("small", "small", "rp1");
        unplaced("huge");
        base("small");
        assertThat(warnings.lines())
                .singleElement()
                .asString()
                .contains("(huge): BAR 0 of 0x1000000 bytes", "0x800000 bytes in all");
    }

    @Test
    void ifTheSumDoesNotFitTheLastOneIsNamedAndTheRestWorks() {
        machine(8 * MIB, GIB, true, port(0, 0), port(1, 0), port(2, 0));
        type("half", low(4 * MIB));
        slot("a", "half", "rp0");
        slot("b", "half", "rp1");
        driver.take();
        slot("c", "half", "rp2");
        unplaced("c");
        base("a");
        base("b");
        assertThat(driver.take()).as("nobody is stopped in vain").isEmpty();
        assertThat(warnings.lines())
                .singleElement()
                .asString()
                .contains(
                        "(c): BAR 0 of 0x400000 bytes", "beside the 0x800000 bytes of other BARs");
    }

    @Test
    @Rule("PC-42")
    void aReserveBiggerThanTheMachineIsNamedAndTheSlotWorks() {
        machine(8 * MIB, GIB, false, port(0, 4 * GIB), port(1, 2 * MIB));
        type("small", low(MIB));
        slot("a", "small", "rp0");
        slot("b", "small", "rp1");
        base("a");
        base("b");
        assertThat(warnings.lines())
                .singleElement()
                .asString()
                .contains("port rp0", "0x100000000 bytes free", "at most the 0x800000 bytes");
    }

    @Test
    @Rule("PC-42")
    void reservesThatDoNotFitTogetherAreNamedAndEverySlotWorks() {
        machine(8 * MIB, GIB, false, port(0, 6 * MIB), port(1, 6 * MIB));
        type("half", low(4 * MIB));
        slot("a", "half", "rp0");
        slot("b", "half", "rp1");
        base("a");
        base("b");
        assertThat(warnings.lines())
                .singleElement()
                .asString()
                .contains("host bridge pc below 4 GiB", "hot-plug slots");
    }
}
