package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.exporter.vfio.Passthrough.capability;
import static org.peerlane.exporter.vfio.Passthrough.config;
import static org.peerlane.exporter.vfio.Passthrough.expect;
import static org.peerlane.exporter.vfio.Passthrough.read;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.CapabilityLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("Config space as user space sees it")
class ConfigSpaceTest {
    private static final int BAR2 = 0x18;
    private static final int POWER = 0x01;
    private static final int MSI = 0x05;
    private static final int EXPRESS = 0x10;
    private static final int MSI_X = 0x11;
    private static final int FEATURES = 0x13;

    private final Passthrough machine = new Passthrough();
    private PcieFunction function;
    private VfioFile file;

    @BeforeEach
    void open() {
        function = machine.plug("card", "sw0.0", 0, Passthrough.card());
        file = machine.open("card");
    }

    @AfterEach
    void close() {
        file.put();
        machine.close();
    }

    private List<ResetKind> resets() {
        return machine.silicon.get("card").resets;
    }

    @Test
    @Rule("VF-30")
    @Rule("VF-31")
    void idsArePassedOnAndReadOnly() {
        assertThat(config(file, 0, 4)).isEqualTo(0x0001_1234);
        config(file, 0, 4, 0x5555_6666);
        assertThat(config(file, 0, 4)).isEqualTo(0x0001_1234);
        assertThat(config(file, 8, 4)).isEqualTo(function.readConfig(8, 4));
        config(file, 8, 4, 0);
        assertThat(config(file, 8, 4)).isEqualTo(function.readConfig(8, 4)).isNotZero();
    }

    @Test
    @Rule("VF-31")
    void barsCanBeSizedAndRewrittenAndTheHardwaresStayWhereTheyAre() {
        long hardware = function.readConfig(BAR2, 4);
        assertThat(config(file, BAR2, 4)).isEqualTo(hardware);
        config(file, BAR2, 4, 0xFFFF_FFFFL);
        config(file, BAR2 + 4, 4, 0xFFFF_FFFFL);
        assertThat(config(file, BAR2, 4))
                .as("64 KiB, 64 bits, prefetchable")
                .isEqualTo(0xFFFF_000CL);
        assertThat(config(file, BAR2 + 4, 4)).isEqualTo(0xFFFF_FFFFL);
        config(file, BAR2, 4, 0x1234_5678);
        config(file, BAR2 + 4, 4, 1);
        assertThat(config(file, BAR2, 4)).isEqualTo(0x1234_000CL);
        assertThat(config(file, BAR2 + 2, 2)).isEqualTo(0x1234);
        assertThat(config(file, BAR2 + 4, 4)).isEqualTo(1);
        config(file, 0x10, 4, 0xFFFF_FFFFL);
        assertThat(config(file, 0x10, 4)).as("4 KiB, 32 bits").isEqualTo(0xFFFF_F000L);
        config(file, 0x24, 4, 0xFFFF_FFFFL);
        assertThat(config(file, 0x24, 4)).as("no BAR").isZero();
        config(file, 0x30, 4, 0xFFFF_FFFFL);
        assertThat(config(file, 0x30, 4)).as("no ROM").isZero();
        assertThat(function.readConfig(BAR2, 4)).isEqualTo(hardware);
        assertThat(read(file, 2, 0, 4)).as("still there").isZero();
    }

    @Test
    @Rule("VF-31")
    void theInterruptLineIsKeptAndThePinIsReadOnly() {
        config(file, 0x3C, 1, 0x2A);
        config(file, 0x3D, 1, 4);
        assertThat(config(file, 0x3C, 2)).isEqualTo(0x012A);
        assertThat(function.readConfig(0x3C, 1)).isNotEqualTo(0x2A);
    }

    @Test
    @Rule("VF-31")
    @Rule("VF-36")
    void whetherIntxIsDisabledIsKeptAndNotHandedOn() {
        long hardware = function.readConfig(4, 2);
        config(file, 4, 2, 0x402);
        assertThat(config(file, 4, 2)).isEqualTo(0x402);
        assertThat(function.readConfig(4, 2) & 0x400).isEqualTo(hardware & 0x400);
        config(file, 4, 2, 0x002);
        assertThat(config(file, 4, 2)).isEqualTo(0x002);
    }

    @Test
    @Rule("VF-32")
    void powerManagementEventsAreTheHosts() {
        machine.plug(
                "events",
                "sw0.1",
                0,
                FunctionLayout.of(0x1234, 3, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .with(new CapabilityLayout.PowerManagement(false, false, false, 0x1F))
                        .build());
        VfioFile events = machine.open("events");
        int power = capability(events, POWER);
        assertThat(machine.function("events").readConfig(power + 2, 2) & 0xF800).isNotZero();
        assertThat(config(events, power + 2, 2) & 0xF800).isZero();
        config(events, power + 4, 2, 0x8100);
        assertThat(config(events, power + 4, 2) & 0x8100).isZero();
        assertThat(machine.function("events").readConfig(power + 4, 2) & 0x100).isZero();
        events.put();
    }

    @Test
    @Rule("VF-32")
    void wideMsiHasItsDataBehindTheUpperHalfOfTheAddress() {
        int msi = capability(file, MSI);
        config(file, msi + 4, 4, 0xFEE0_0000L);
        config(file, msi + 8, 4, 0x0000_0005L);
        config(file, msi + 12, 2, 0x4321);
        config(file, msi + 16, 4, 1);
        assertThat(config(file, msi + 8, 4)).isEqualTo(5);
        assertThat(config(file, msi + 12, 2)).isEqualTo(0x4321);
        assertThat(function.readConfig(msi + 12, 2)).as("a copy").isNotEqualTo(0x4321);
        assertThat(function.readConfig(msi + 16, 4)).as("the mask is real").isEqualTo(1);
    }

    @Test
    @Rule("VF-31")
    @Rule("VF-32")
    void statusIsReadOnlyAndPayloadSizeACopy() {
        long status = config(file, 6, 2);
        config(file, 6, 2, 0xFFFF);
        assertThat(config(file, 6, 2)).isEqualTo(status);
        int express = capability(file, EXPRESS);
        long hardware = function.readConfig(express + 8, 2);
        config(file, express + 8, 2, hardware & ~0xE0 | 0x20);
        assertThat(config(file, express + 8, 2) & 0xE0).isEqualTo(0x20);
        assertThat(function.readConfig(express + 8, 2) & 0xE0).isEqualTo(hardware & 0xE0);
        config(file, express + 8, 2, hardware & ~0x7000 | 0x3000);
        assertThat(function.readConfig(express + 8, 2) & 0x7000).as("handed on").isEqualTo(0x3000);
    }

    @Test
    @Rule("VF-30")
    void accessesAreSplitAndEndAtTheSize() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[16]);
        assertThat(file.pread(bytes, VfioFile.offset(7) + 1)).isEqualTo(16);
        assertThat(bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 0x01);
        assertThat(file.pread(bytes, VfioFile.offset(7) + 4080)).isEqualTo(16);
        expect(Errno.EFAULT, () -> file.pread(bytes, VfioFile.offset(7) + 4081));
        expect(Errno.EFAULT, () -> file.pwrite(bytes, VfioFile.offset(7) + 4096));
    }

    @Test
    @Rule("VF-32")
    void capabilitiesThatUserSpaceNeedNotSeeAreTakenOffTheList() {
        FunctionLayout layout =
                FunctionLayout.of(0x1234, 4, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .with(CapabilityLayout.PowerManagement.plain())
                        .with(CapabilityLayout.Express.plain())
                        .with(new CapabilityLayout.Aer())
                        .with(new CapabilityLayout.Pasid(16, false, false))
                        .with(new CapabilityLayout.SerialNumber(0x1122_3344_5566_7788L))
                        .build();
        machine.plug("other", "sw0.1", 0, layout);
        VfioFile other = machine.open("other");
        List<Integer> ids = new ArrayList<>();
        for (int at = 0x100; at != 0; at = (int) (config(other, at, 4) >>> 20)) {
            ids.add((int) config(other, at, 2));
        }
        assertThat(ids).as("errors and serial number, no PASID").containsExactly(0x0001, 0x0003);
        other.put();
    }

    @Test
    @Rule("VF-32")
    void whatCapabilitiesSayIsReadOnly() {
        int msiX = capability(file, MSI_X);
        long control = config(file, msiX + 2, 2);
        config(file, msiX + 2, 2, 0xC000);
        assertThat(config(file, msiX + 2, 2)).isEqualTo(control);
        assertThat(function.readConfig(msiX + 2, 2)).isEqualTo(control);
        int express = capability(file, EXPRESS);
        long can = config(file, express + 4, 4);
        config(file, express + 4, 4, 0);
        assertThat(config(file, express + 4, 4)).isEqualTo(can);
        assertThat(config(file, express, 2) & 0xFF).isEqualTo(EXPRESS);
        config(file, express, 4, 0);
        assertThat(capability(file, EXPRESS)).isEqualTo(express);
    }

    @Test
    @Rule("VF-39")
    void msiIsNotSwitchedOnByUserSpace() {
        int msi = capability(file, MSI);
        config(file, msi + 2, 2, 0x71);
        assertThat(config(file, msi + 2, 2) & 0x71).isZero();
        assertThat(function.readConfig(msi + 2, 2) & 1).isZero();
        config(file, msi + 4, 4, 0xFEE0_1000L);
        assertThat(config(file, msi + 4, 4)).isEqualTo(0xFEE0_1000L);
        assertThat(function.readConfig(msi + 4, 4)).as("the host's").isNotEqualTo(0xFEE0_1000L);
    }

    private DmaBuf export() {
        return file.dmaBuf(DmaBufRequest.of(2, 0, 0x1_0000));
    }

    @Test
    @Rule("VF-33")
    @Rule("VF-34")
    @Rule("RK-15")
    void memoryOffRevokesAndMemoryOnGivesBack() {
        DmaBuf buffer = export();
        Passthrough.memory(file, false);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        assertThat(function.readConfig(4, 2) & 2).isZero();
        config(file, 4, 2, 0x100);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        Passthrough.memory(file, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(function.readConfig(4, 2) & 2).isEqualTo(2);
        buffer.put();
    }

    @Test
    @Rule("VF-35")
    void onlyAnAccessThatBeginsAtTheCommandRegisterIsOneToIt() {
        DmaBuf buffer = export();
        config(file, 5, 1, 0);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        config(file, 4, 1, 0);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        config(file, 4, 4, 2);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        buffer.put();
    }

    @Test
    @Rule("VF-34")
    void barsThatSomebodyElseHasResetAreGivenBack() {
        long bar = function.readConfig(0x10, 4);
        int express = capability(file, EXPRESS);
        function.writeConfig(express + 8, 2, 0x8000); // behind our back
        assertThat(function.readConfig(0x10, 4)).isNotEqualTo(bar);
        Passthrough.memory(file, true);
        assertThat(function.readConfig(0x10, 4)).isEqualTo(bar);
        assertThat(read(file, 2, 0, 4)).isZero();
    }

    @Test
    @Rule("VF-37")
    @Rule("RK-15")
    void inD3hotThereIsNoMemoryAndTheWayBackRestoresIt() {
        DmaBuf buffer = export();
        int power = capability(file, POWER) + 4;
        long bar = function.readConfig(0x10, 4);
        config(file, power, 2, 3);
        assertThat(config(file, power, 2) & 3).isEqualTo(3);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        expect(Errno.EIO, () -> read(file, 2, 0, 4));
        config(file, power, 2, 0);
        assertThat(resets()).endsWith(ResetKind.POWER);
        assertThat(function.readConfig(0x10, 4)).isEqualTo(bar);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(read(file, 2, 0, 4)).isZero();
        buffer.put();
    }

    @Test
    @Rule("VF-37")
    void memoryThatIsOffStaysOffAfterD3hot() {
        DmaBuf buffer = export();
        int power = capability(file, POWER) + 4;
        Passthrough.memory(file, false);
        config(file, power, 2, 3);
        config(file, power, 2, 0);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        assertThat(function.readConfig(4, 2) & 2).isZero();
        buffer.put();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    @Rule("VF-38")
    @Rule("RK-15")
    void theBitOfFunctionLevelResetResets(int bytes) {
        DmaBuf buffer = export();
        Passthrough.write(file, 0, 0, 4, 9);
        int control = capability(file, EXPRESS) + 8;
        int before = resets().size();
        config(file, bytes == 1 ? control + 1 : control, bytes, bytes == 1 ? 0x80 : 0x8000);
        assertThat(resets()).hasSize(before + 1).endsWith(ResetKind.FLR);
        assertThat(config(file, control, 2) & 0x8000).isZero();
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(read(file, 0, 0, 4)).isZero();
        buffer.put();
    }

    @Test
    @Rule("VF-38")
    void advancedFeaturesResetToo() {
        FunctionLayout layout =
                FunctionLayout.of(0x1234, 5, 0x00FF00)
                        .bar(BarLayout.registers(0, 4096, false, false))
                        .with(new CapabilityLayout.AdvancedFeatures())
                        .build();
        machine.plug("other", "sw0.1", 0, layout);
        VfioFile other = machine.open("other");
        List<ResetKind> done = machine.silicon.get("other").resets;
        int before = done.size();
        config(other, capability(other, FEATURES) + 4, 1, 1);
        assertThat(done).hasSize(before + 1);
        assertThat(config(other, capability(other, FEATURES) + 4, 1) & 1).isZero();
        other.put();
    }
}
