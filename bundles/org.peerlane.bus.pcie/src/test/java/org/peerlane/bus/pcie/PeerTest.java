package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.DmaAttributes;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.PeerRoute;
import org.peerlane.testkit.Rule;

@DisplayName("Requests between peers")
class PeerTest {
    private static final int ACS_CONTROL = 0x14E;
    private static final int ACS_EGRESS = 0x150;
    private static final int SV = 1;
    private static final int TB = 2;
    private static final int RR = 4;
    private static final int UF = 0x10;
    private static final int EC = 0x20;
    private static final int DT = 0x40;

    private static final List<PortConfig> PORTS =
            List.of(
                    new PortConfig("rp0", "00:01.0", 0, false, true),
                    new PortConfig("rp1", "00:02.0", 0, false, true),
                    new PortConfig("sw0", "rp0", 3, false, true));

    private final HostBridgeConfig pc = HostBridgeConfig.DEFAULT;
    private TestMachine machine = new TestMachine(List.of(pc), PORTS, false);
    private final MemorySegment data = TestMachine.filled(64, 0);

    @AfterEach
    void close() {
        machine.close();
    }

    private void rebuild(boolean forwards, boolean listed) {
        machine.close();
        machine =
                new TestMachine(
                        List.of(
                                new HostBridgeConfig(
                                        "pc",
                                        0,
                                        0,
                                        0xFF,
                                        pc.lowFirst(),
                                        pc.lowLast(),
                                        pc.highFirst(),
                                        pc.highLast(),
                                        pc.ecamBase(),
                                        0,
                                        forwards,
                                        listed,
                                        false)),
                        PORTS,
                        false);
    }

    private TestDevice device(int index) {
        return machine.type.made.get(index);
    }

    private PcieFunction port(String name) {
        return machine.function(name);
    }

    private int read(int device, long address, int attributes) {
        return TestMachine.status(
                device(device).slot.dma().read(address, attributes, data, 0, data.byteSize()));
    }

    /** The address of the first device's memory, marked. */
    private long target(String port) {
        PcieFunction function = machine.plugBelow(port, "target");
        machine.vram.set(ValueLayout.JAVA_BYTE, 0, (byte) 0x77);
        return function.bar(2).first().value();
    }

    @ParameterizedTest
    @Rule("PC-50")
    @Rule("PC-55")
    @CsvSource({
        "0, 0, DIRECT", "0x20, 0, DIRECT", "0x20, 1, VIOLATION",
        "4, 0, REDIRECT", "0x24, 0, DIRECT", "0x24, 1, REDIRECT",
    })
    void theIngressPortDecidesByItsAcsControl(String control, int egress, AcsDecision expected) {
        long bar = target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        port("sw0.1").writeConfig(ACS_CONTROL, 2, Integer.decode(control) | UF);
        port("sw0.1").writeConfig(ACS_EGRESS, 4, egress);
        port("sw0").enable(true, false); // above it, nothing gets on
        int status = read(1, bar, DmaAttributes.NONE);
        assertThat(status)
                .isEqualTo(
                        switch (expected) {
                            case DIRECT -> DmaResult.OK;
                            case REDIRECT -> DmaResult.UNSUPPORTED_REQUEST;
                            case VIOLATION -> DmaResult.COMPLETER_ABORT;
                        });
        long before = machine.events(BusEvents.DmaLost.class).size();
        device(1).slot.dma().write(bar, 0, TestMachine.filled(8, 1), 0, 8);
        assertThat(machine.events(BusEvents.DmaLost.class))
                .hasSize((int) before + (expected == AcsDecision.DIRECT ? 0 : 1));
    }

    @Test
    @Rule("PC-51")
    void translatedRequestsGoDirectWhereThePortSaysSoAndNowhereWhereItBlocksThem() {
        long bar = target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        port("sw0").enable(true, false);
        port("sw0.1").writeConfig(ACS_CONTROL, 2, RR | DT);
        assertThat(read(1, bar, DmaAttributes.TRANSLATED)).isEqualTo(DmaResult.OK);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        port("sw0.1").writeConfig(ACS_CONTROL, 2, TB);
        assertThat(read(1, bar, DmaAttributes.TRANSLATED)).isEqualTo(DmaResult.COMPLETER_ABORT);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
    }

    @Test
    @Rule("PC-52")
    void aRequesterOfAnotherBusIsAViolationWhereTheSourceIsValidated() {
        long bar = target("sw0.0");
        PcieFunction client = machine.plugBelow("sw0.1", "client");
        PcieFunction port = port("sw0.1");
        port.writeConfig(ACS_CONTROL, 2, SV);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
        port.writeConfig(0x19, 2, 0x0909); // renumbered; the function has not heard of it
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.COMPLETER_ABORT);
        assertThat(client.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    @Rule("PC-54")
    void aRedirectedRequestComesBackDownOnlyWhereThePortForwardsUpstream() {
        long bar = target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        port("sw0.1").writeConfig(ACS_CONTROL, 2, RR);
        port("rp0").writeConfig(ACS_CONTROL, 2, UF);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
        assertThat(data.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x77);
        port("rp0").writeConfig(ACS_CONTROL, 2, 0);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
    }

    @Test
    @Rule("PC-57")
    @Rule("PC-56")
    @Rule("IM-1")
    void whatIsRedirectedGoesThroughTheIommuAndWhatIsDirectDoesNot() {
        machine.close();
        machine = new TestMachine(List.of(pc), PORTS, true);
        long bar = target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        long iova = 0x4000_0000L;
        machine.root.translation((requester, attributes, address, write, into) -> {
            if (address != iova) {
                return DmaResult.UNSUPPORTED_REQUEST;
            }
            into.physical = bar;
            into.bytes = 4096;
            return DmaResult.OK;
        });
        // with an IOMMU the operating system lets every port redirect (PC-57)
        assertThat(port("sw0.1").readConfig(ACS_CONTROL, 2)).isEqualTo(0x1D);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(read(1, iova, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
        assertThat(data.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x77);
        port("sw0.1").writeConfig(ACS_CONTROL, 2, 0);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
    }

    @Test
    @Rule("PC-49")
    @Rule("P2-10")
    @Rule("PP-15")
    void betweenRootPortsTheHostBridgeForwardsOrDoesNot() {
        long bar = target("rp1");
        machine.plugBelow("sw0.1", "client");
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
        rebuild(false, true);
        bar = target("rp1");
        machine.plugBelow("sw0.1", "client");
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        assertThat(device(1).slot.dma().write(bar, 0, TestMachine.filled(8, 1), 0, 8)).isEqualTo(8);
        assertThat(machine.events(BusEvents.DmaLost.class).getLast().why())
                .contains("does not forward");
        assertThat(machine.vram.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x77);
    }

    @Test
    @Rule("PC-57")
    void withAnIommuEveryPortThatLeadsDownSendsPeerRequestsUp() {
        List<String> down = List.of("rp0", "rp1", "sw0.0", "sw0.1", "sw0.2");
        assertThat(down).allSatisfy(name -> assertThat(control(name)).isZero());
        machine.close();
        machine = new TestMachine(List.of(pc), PORTS, true);
        assertThat(down).allSatisfy(name -> assertThat(control(name)).isEqualTo(0x1D));
        target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        assertThat(route("target", "client").kind()).isEqualTo(PeerRoute.Kind.THROUGH_HOST_BRIDGE);
    }

    private long control(String port) {
        return port(port).readConfig(ACS_CONTROL, 2);
    }

    private PeerRoute route(String provider, String client) {
        return machine.root.peerRoute(machine.function(provider), machine.function(client));
    }

    @Test
    @Rule("PC-58")
    @Rule("PP-1")
    @Rule("PP-2")
    @Rule("PP-4")
    @Rule("P2-3")
    void belowOneSwitchThePathIsDirectUnlessAPortRedirects() {
        target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        assertThat(route("target", "client").kind()).isEqualTo(PeerRoute.Kind.BUS_ADDRESS);
        assertThat(route("target", "client").distance()).isEqualTo(4);
        assertThat(route("target", "target").distance()).isZero();
        assertThat(route("target", "target").kind()).isEqualTo(PeerRoute.Kind.BUS_ADDRESS);
        assertThat(route("target", "sw0.1").kind()).isEqualTo(PeerRoute.Kind.NOT_SUPPORTED);
        for (String port : List.of("sw0.0", "sw0.1")) {
            for (int bit : List.of(RR, 8, EC)) {
                port(port).writeConfig(ACS_CONTROL, 2, bit);
                assertThat(route("target", "client").kind())
                        .isEqualTo(PeerRoute.Kind.THROUGH_HOST_BRIDGE);
                assertThat(route("target", "client").reason()).contains("ACS of " + port);
                port(port).writeConfig(ACS_CONTROL, 2, 0);
            }
        }
        assertThat(route("target", "client").kind()).isEqualTo(PeerRoute.Kind.BUS_ADDRESS);
    }

    @Test
    @Rule("PP-3")
    @Rule("P2-4")
    void throughTheHostBridgeOnlyIfItIsOnTheList() {
        target("rp1");
        machine.plugBelow("sw0.1", "client");
        assertThat(route("target", "client").kind()).isEqualTo(PeerRoute.Kind.THROUGH_HOST_BRIDGE);
        assertThat(route("target", "client").distance()).isEqualTo(6);
        rebuild(true, false);
        target("rp1");
        machine.plugBelow("sw0.1", "client");
        assertThat(route("target", "client").kind()).isEqualTo(PeerRoute.Kind.NOT_SUPPORTED);
        assertThat(route("target", "client").reason())
                .isEqualTo(
                        "not allowed: no common upstream switch and host bridge pc not on the"
                                + " list");
    }

    @Test
    @Rule("PC-60")
    void functionsOfOneDeviceReachEachOtherInsideIt() {
        long bar = target("rp1");
        machine.plug(new SlotConfig("second", "test", "", "rp1", 1, Map.of("size", 7)));
        assertThat(machine.function("second").address()).hasToString("0000:06:00.1");
        assertThat(machine.function("target").readConfig(0x0E, 1) & 0x80).isEqualTo(0x80);
        port("rp1").enable(true, false);
        assertThat(read(1, bar, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
    }

    @Test
    @Rule("IM-17")
    void anIommuThatLetsEverythingPassRemovesNoOtherRule() {
        machine.close();
        machine = new TestMachine(List.of(pc), PORTS, true);
        long bar = target("sw0.0");
        PcieFunction client = machine.plugBelow("sw0.1", "client");
        machine.root.translation((requester, attributes, address, write, into) -> {
            into.physical = address;
            into.bytes = Long.MAX_VALUE;
            return DmaResult.OK;
        });
        assertThat(read(1, TestMemory.BASE, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
        port("sw0.1").writeConfig(ACS_CONTROL, 2, SV);
        port("sw0.1").writeConfig(0x19, 2, 0x0909);
        assertThat(read(1, TestMemory.BASE, DmaAttributes.NONE))
                .as("ACS")
                .isEqualTo(DmaResult.COMPLETER_ABORT);
        port("sw0.1").writeConfig(ACS_CONTROL, 2, 0);
        port("sw0").enable(true, false);
        assertThat(read(1, TestMemory.BASE, DmaAttributes.NONE))
                .as("bus master of a port")
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        port("sw0").enable(true, true);
        machine.function("target").enable(false, true);
        assertThat(read(1, bar, DmaAttributes.NONE))
                .as("decode")
                .isEqualTo(DmaResult.UNSUPPORTED_REQUEST);
        port("sw0.1").writeConfig(0x19, 2, 0x0404);
        client.enable(true, false);
        assertThat(read(1, TestMemory.BASE, DmaAttributes.NONE))
                .isEqualTo(DmaResult.BUS_MASTER_OFF);
    }

    private List<String> group(String name) {
        return machine.root.isolationGroup(machine.function(name)).stream()
                .map(PcieFunction::slot)
                .toList();
    }

    @Test
    @Rule("IM-11")
    @Rule("P2-5")
    void functionsThatReachEachOtherWithoutTheIommuAreOneGroup() {
        machine.close();
        machine = new TestMachine(List.of(pc), PORTS, true); // ACS is on
        target("sw0.0");
        machine.plugBelow("sw0.1", "client");
        machine.plugBelow("rp1", "apart");
        assertThat(group("target")).containsExactly("target");
        assertThat(group("apart")).containsExactly("apart");
        port("sw0.1").writeConfig(ACS_CONTROL, 2, SV | UF);
        assertThat(group("client"))
                .containsExactlyInAnyOrder("sw0.0", "target", "sw0.1", "client", "sw0.2");
        assertThat(group("target")).as("its own port keeps it apart").containsExactly("target");
        machine.plug(new SlotConfig("second", "test", "", "rp1", 1, Map.of("size", 7)));
        assertThat(group("apart")).containsExactlyInAnyOrder("apart", "second");
    }

    @Test
    @Rule("PP-6")
    @Rule("P2-1")
    @Rule("P2-2")
    void everyMemoryBarWithAnAddressIsAProvider() {
        target("sw0.0");
        PcieFunction function = machine.function("target");
        assertThat(machine.root.peerProvider(function, 2).owner()).isSameAs(function);
        for (int bar : new int[] {-1, 1, 3, 6}) {
            assertThatThrownBy(() -> machine.root.peerProvider(function, bar))
                    .hasMessageContaining("no memory BAR " + bar);
        }
        assertThatThrownBy(() -> machine.root.peerProvider(port("sw0.1"), 0))
                .hasMessageContaining("sw0.1");
    }

    @Test
    @Rule("IM-18")
    @Rule("PP-9")
    void busAddressesDifferFromPhysicalOnesWhereTheHostBridgeHasAnOffset() {
        machine.close();
        HostBridgeConfig shifted =
                new HostBridgeConfig(
                        "arm",
                        0,
                        0,
                        0xFF,
                        0xC000_0000L,
                        0xDFFF_FFFFL,
                        0x80_0000_0000L,
                        0xFF_FFFF_FFFFL,
                        0x7F_E000_0000L,
                        -0x4000_0000L,
                        true,
                        true,
                        false);
        machine = new TestMachine(List.of(shifted), PORTS, false);
        long physical = target("sw0.0");
        PcieFunction function = machine.function("target");
        long bus = function.readConfig(0x18, 4) & ~0xFL | function.readConfig(0x1C, 4) << 32;
        assertThat(bus).isEqualTo(physical - 0x4000_0000L);
        assertThat(function.read(2, 0, 1)).isEqualTo(0x77);
        machine.plugBelow("sw0.1", "client");
        assertThat(read(1, bus, DmaAttributes.NONE)).isEqualTo(DmaResult.OK);
        assertThat(route("target", "client").busOffset()).isEqualTo(-0x4000_0000L);
    }
}
