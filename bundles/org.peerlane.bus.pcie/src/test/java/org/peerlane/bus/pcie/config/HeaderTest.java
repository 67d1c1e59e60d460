package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.testkit.Rule;

@DisplayName("Headers")
class HeaderTest {
    private final FunctionConfig endpoint = Samples.endpoint();
    private final FunctionConfig port = Samples.rootPort();
    private final BridgeHeader bridge = port.bridge();

    @Rule("PC-9")
    @Rule("PC-11")
    @Test
    void type0IsMadeOfTheLayout() {
        assertThat(endpoint.read(0x00, 4)).isEqualTo(0x5678_1234L);
        assertThat(endpoint.read(0x08, 4)).isEqualTo(0x0108_0203L);
        assertThat(endpoint.read(0x0E, 1)).isZero();
        assertThat(endpoint.read(0x2C, 4)).isEqualTo(0x1100_1AF4L);
        assertThat(endpoint.read(0x3D, 1)).isEqualTo(1);
        endpoint.write(0x0C, 1, 0x10);
        endpoint.write(0x3C, 2, 0x040B);
        assertThat(endpoint.read(0x0C, 1)).isEqualTo(0x10);
        assertThat(endpoint.read(0x3C, 2)).as("the pin stays").isEqualTo(0x010B);
        endpoint.header().multifunction();
        assertThat(endpoint.read(0x0E, 1)).isEqualTo(0x80);
    }

    @Rule("PC-10")
    @Test
    void type1HasBusNumbersWindowsAndBridgeControl() {
        assertThat(port.read(0x0E, 1)).isEqualTo(1);
        assertThat(port.read(0x08, 4) >>> 8).isEqualTo(0x06_0400);
        assertThat(port.write(0x18, 4, 0xFF_FF03_0201L)).isEqualTo(Effect.WINDOWS);
        assertThat(port.read(0x18, 4)).as("no latency timer").isEqualTo(0x0003_0201L);
        assertThat(bridge.primary()).isEqualTo(1);
        assertThat(bridge.secondary()).isEqualTo(2);
        assertThat(bridge.subordinate()).isEqualTo(3);
        assertThat(port.write(0x3E, 2, 0x40)).isEqualTo(Effect.SECONDARY_RESET);
        assertThat(bridge.secondaryReset()).isTrue();
        assertThat(port.write(0x3E, 1, 0x40)).as("no change").isZero();
        assertThat(port.write(0x3C, 4, 0)).isEqualTo(Effect.SECONDARY_RESET);
        assertThat(bridge.secondaryReset()).isFalse();
    }

    @Rule("PC-10")
    @Test
    void secondaryStatusIsClearedByOneAndNoWindow() {
        bridge.secondaryMasterAbort();
        assertThat(port.read(0x1E, 2)).isEqualTo(0x2000);
        assertThat(port.write(0x1E, 2, 0x2000) & Effect.WINDOWS).isZero();
        assertThat(port.read(0x1E, 2)).isZero();
    }

    @Rule("PC-42")
    @Test
    void windowsAreAnsweredAsWholeAddresses() {
        port.write(0x20, 4, 0xE12F_E10FL);
        assertThat(bridge.memoryBase()).isEqualTo(0xE100_0000L);
        assertThat(bridge.memoryLimit()).isEqualTo(0xE12F_FFFFL);
        port.write(0x24, 4, 0x0010_FFF0L);
        port.write(0x28, 4, 0x12);
        port.write(0x2C, 4, 0x13);
        assertThat(port.read(0x24, 4)).as("64-bit").isEqualTo(0x0011_FFF1L);
        assertThat(bridge.prefetchBase()).isEqualTo(0x12_FFF0_0000L);
        assertThat(bridge.prefetchLimit()).isEqualTo(0x13_001F_FFFFL);
        port.write(0x1C, 2, 0xC0C0);
        port.write(0x30, 4, 0x0001_0001);
        assertThat(bridge.ioBase()).isEqualTo(0x1_C000);
        assertThat(bridge.ioLimit()).isEqualTo(0x1_CFFF);
        port.write(0x20, 4, 0x0000_0010);
        assertThat(bridge.memoryBase()).as("closed").isGreaterThan(bridge.memoryLimit());
    }

    @Rule("PC-7")
    @Test
    void commandIsZeroAtFirstAndTakesItsDefinedBitsOnly() {
        assertThat(endpoint.read(4, 2)).isZero();
        int effects = endpoint.write(4, 2, 0xFFFF);
        assertThat(endpoint.read(4, 2)).isEqualTo(0x0547);
        assertThat(effects)
                .isEqualTo(Effect.DECODE | Effect.MASTER | Effect.MESSAGES | Effect.INTX);
        assertThat(endpoint.header().busMaster()).isTrue();
        FunctionConfig noIo = FunctionConfig.endpoint(Samples.conventional(), ExpressType.ENDPOINT);
        noIo.write(4, 2, 0xFFFF);
        assertThat(noIo.read(4, 2)).as("no I/O BAR, no I/O enable").isEqualTo(0x0546);
    }

    @Rule("PC-8")
    @Test
    void statusErrorsAreClearedByOneAndTheRestStays() {
        Header header = endpoint.header();
        header.receivedMasterAbort();
        header.receivedTargetAbort();
        header.signalledTargetAbort();
        endpoint.intx().level(true);
        endpoint.intx().update();
        assertThat(endpoint.read(6, 2)).isEqualTo(0x3818);
        endpoint.write(6, 2, 0x1000);
        assertThat(endpoint.read(6, 2)).isEqualTo(0x2818);
        endpoint.write(4, 4, 0xFFFF_0000L);
        assertThat(endpoint.read(6, 2)).isEqualTo(0x0018);
    }

    @Rule("PC-35")
    @Test
    void aVirtualFunctionHasNoIdsNoBarsAndItsOwnBusMasterOnly() {
        FunctionLayout physical = Samples.full();
        FunctionConfig vf = FunctionConfig.virtualFunction(physical, List.of());
        assertThat(vf.read(0, 4)).isEqualTo(0xFFFF_FFFFL);
        for (int at = 0x10; at < 0x28; at += 4) {
            vf.write(at, 4, -1);
            assertThat(vf.read(at, 4)).isZero();
        }
        assertThat(vf.read(0x3D, 1)).isZero();
        vf.write(4, 2, 0xFFFF);
        assertThat(vf.read(4, 2)).isEqualTo(4);
    }
}
