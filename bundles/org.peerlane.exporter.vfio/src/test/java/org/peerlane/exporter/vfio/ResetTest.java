package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.exporter.vfio.Passthrough.SECOND;
import static org.peerlane.exporter.vfio.Passthrough.expect;
import static org.peerlane.exporter.vfio.Passthrough.read;
import static org.peerlane.exporter.vfio.Passthrough.write;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.vfio.api.DeviceInfo;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.HotResetEntry;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("Resets of functions that are passed through")
class ResetTest {
    private final Passthrough machine = new Passthrough();
    private VfioFile file;

    @BeforeEach
    void open() {
        machine.plug("card", "sw0.0", 0, Passthrough.card());
        file = machine.open("card");
    }

    @AfterEach
    void close() {
        file.put();
        machine.close();
    }

    private List<ResetKind> resets(String name) {
        return machine.silicon.get(name).resets;
    }

    private DmaBuf whole() {
        return file.dmaBuf(DmaBufRequest.of(2, 0, 0x1_0000));
    }

    @Test
    @Rule("VF-50")
    @Rule("VF-51")
    @Rule("RK-15")
    void aResetRevokesResetsAndGivesBack() {
        DmaBuf buffer = whole();
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(buffer);
        importer.map(DmaDirection.BIDIRECTIONAL);
        write(file, 0, 0, 4, 7);
        Passthrough.config(file, 0x3C, 1, 0x2A);
        DmaBufMachine tools = machine.machine();
        int before = resets("card").size();
        EmulatedThread reset = tools.start("vmm", file::reset);
        tools.until(10 * SECOND, "the importer is told", () -> importer.told() > 0);
        assertThat(resets("card")).as("while somebody has it mapped").hasSize(before);
        importer.unmap();
        DmaBufMachine.join(reset);
        assertThat(resets("card")).hasSize(before + 1);
        assertThat(read(file, 0, 0, 4)).isZero();
        assertThat(Passthrough.config(file, 0x3C, 1)).as("the virtual copy stays").isEqualTo(0x2A);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        importer.map(DmaDirection.BIDIRECTIONAL);
        importer.detach();
        buffer.put();
    }

    @Test
    @Rule("VF-50")
    void aResetWithMemoryOffLeavesBuffersRevoked() {
        DmaBuf buffer = whole();
        Passthrough.memory(file, false);
        file.reset();
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        Passthrough.memory(file, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        buffer.put();
    }

    @Test
    @Rule("VF-50")
    void whoHasNoResetOfItsOwnIsRefused() {
        machine.plug("root", "00:05.0", 0, Passthrough.stubborn());
        VfioFile root = machine.open("root");
        assertThat(root.info().flags()).isEqualTo(DeviceInfo.PCI);
        expect(Errno.EINVAL, root::reset);
        expect(Errno.ENODEV, root::hotResetInfo);
        expect(Errno.ENODEV, () -> root.hotReset(List.of(root)));
        root.put();
    }

    @Test
    @Rule("VF-50")
    @Rule("VF-40")
    void aResetDoesNotWaitForAnAccess() throws Exception {
        DmaBufMachine tools = machine.machine();
        DmaBuf buffer = whole();
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(buffer);
        importer.map(DmaDirection.BIDIRECTIONAL);
        EmulatedThread off = tools.start("vmm", () -> Passthrough.memory(file, false));
        tools.until(10 * SECOND, "the importer is told", () -> importer.told() > 0);
        expect(Errno.EAGAIN, file::reset);
        importer.detach();
        DmaBufMachine.join(off);
        buffer.put();
    }

    // ---- hot reset

    /** Two functions of one device, of which nobody has the second open. */
    private void second() {
        machine.plug("other", "sw0.0", 1, Passthrough.stubborn());
    }

    @Test
    @Rule("VF-52")
    @Rule("VF-53")
    @Rule("RK-17")
    void aHotResetListsAllFunctionsOfTheBus() {
        second();
        assertThat(file.hotResetInfo())
                .containsExactly(
                        new HotResetEntry(machine.function("card"), true, true),
                        new HotResetEntry(machine.function("other"), true, false));
    }

    @Test
    @Rule("VF-55")
    @Rule("VF-56")
    @Rule("RK-17")
    void aHotResetResetsWhatNobodyHasOpenToo() {
        second();
        DmaBuf buffer = whole();
        int card = resets("card").size();
        file.hotReset(List.of(file));
        assertThat(resets("card")).hasSize(card + 1).endsWith(ResetKind.HOT);
        assertThat(resets("other")).containsExactly(ResetKind.HOT);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(read(file, 2, 0, 4)).isZero();
        buffer.put();
    }

    @Test
    @Rule("VF-54")
    @Rule("VF-55")
    void aHotResetOfWhatIsNotTheCallersIsRefused() {
        second();
        VfioFile other = machine.open("other");
        expect(Errno.EINVAL, () -> file.hotReset(List.of()));
        expect(Errno.EINVAL, () -> file.hotReset(List.of(file)));
        expect(Errno.EINVAL, () -> file.hotReset(List.of(file, other, file)));
        file.hotReset(List.of(file, other));
        other.put();
        machine.root.unbindDriver(machine.function("other"));
        int before = resets("card").size();
        expect(Errno.EINVAL, () -> file.hotReset(List.of(file)));
        assertThat(resets("card")).hasSize(before);
    }

    @Test
    @Rule("VF-41")
    @Rule("VF-55")
    void aHotResetRevokesBeforeItResetsAndGivesBackWhatIsOn() {
        second();
        VfioFile other = machine.open("other");
        DmaBuf mine = whole();
        DmaBuf its = other.dmaBuf(DmaBufRequest.of(0, 0, 4096));
        Passthrough.memory(other, false);
        try (AddressSpace process = machine.spaces.create("vmm")) {
            CpuMapping mapping =
                    file.mmap(
                            process,
                            0,
                            4096,
                            AddressSpace.PROT_READ,
                            AddressSpace.MAP_SHARED,
                            VfioFile.offset(2));
            process.load(mapping.first(), 4);
            file.hotReset(List.of(file, other));
            assertThat(process.entry(mapping.first())).as("zapped").isZero();
            process.load(mapping.first(), 4);
        }
        assertThat(mine.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(its.revokeState()).as("its memory is off").isEqualTo(RevokeState.REVOKED);
        mine.put();
        its.put();
        other.put();
    }

    @Test
    @Rule("VF-55")
    void aHotResetDoesNotWaitForAFunctionThatIsInUse() {
        second();
        VfioFile other = machine.open("other");
        DmaBuf mine = whole();
        DmaBuf its = other.dmaBuf(DmaBufRequest.of(0, 0, 4096));
        DmaBufMachine tools = machine.machine();
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(its);
        importer.map(DmaDirection.BIDIRECTIONAL);
        EmulatedThread off = tools.start("vmm", () -> Passthrough.memory(other, false));
        tools.until(10 * SECOND, "the importer is told", () -> importer.told() > 0);
        int before = resets("card").size();
        expect(Errno.EBUSY, () -> file.hotReset(List.of(file, other)));
        assertThat(resets("card")).hasSize(before);
        assertThat(mine.revokeState()).as("given back").isEqualTo(RevokeState.OK);
        importer.detach();
        DmaBufMachine.join(off);
        mine.put();
        its.put();
        other.put();
    }

    @Test
    @Rule("CK-12")
    @Rule("dma-buf:T-21")
    void aHotResetThatFailsHalfWayGivesBackWhatIsOpenAndAsksNothingOfWhatIsNot() {
        machine.plug("closed", "sw0.0", 1, Passthrough.stubborn());
        machine.plug("busy", "sw0.0", 2, Passthrough.stubborn());
        VfioFile busy = machine.open("busy");
        DmaBuf mine = whole();
        DmaBuf its = busy.dmaBuf(DmaBufRequest.of(0, 0, 4096));
        DmaBufMachine tools = machine.machine();
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(its);
        importer.map(DmaDirection.BIDIRECTIONAL);
        EmulatedThread off = tools.start("vmm", () -> Passthrough.memory(busy, false));
        tools.until(10 * SECOND, "the importer is told", () -> importer.told() > 0);
        expect(Errno.EBUSY, () -> file.hotReset(List.of(file, busy)));
        assertThat(mine.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(resets("closed")).isEmpty();
        importer.detach();
        DmaBufMachine.join(off);
        file.hotReset(List.of(file, busy)); // and whole, the next time
        assertThat(resets("closed")).containsExactly(ResetKind.HOT);
        assertThat(mine.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(its.revokeState()).as("its memory is off").isEqualTo(RevokeState.REVOKED);
        mine.put();
        its.put();
        busy.put();
    }

    // ---- low power

    @Test
    @Rule("VF-58")
    @Rule("VF-59")
    void inLowPowerMemoryIsGoneWhateverTheCommandRegisterSays() {
        DmaBuf buffer = whole();
        file.enterLowPower();
        expect(Errno.EINVAL, file::enterLowPower);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        Passthrough.memory(file, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        DmaBuf meanwhile = whole();
        assertThat(meanwhile.revokeState()).isEqualTo(RevokeState.REVOKED);
        try (AddressSpace process = machine.spaces.create("vmm")) {
            CpuMapping mapping =
                    file.mmap(
                            process,
                            0,
                            4096,
                            AddressSpace.PROT_READ,
                            AddressSpace.MAP_SHARED,
                            VfioFile.offset(2));
            org.assertj.core.api.Assertions.assertThatThrownBy(
                            () -> process.load(mapping.first(), 4))
                    .isInstanceOf(BusError.class);
            file.exitLowPower();
            process.load(mapping.first(), 4);
        }
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        assertThat(meanwhile.revokeState()).isEqualTo(RevokeState.OK);
        file.exitLowPower();
        buffer.put();
        meanwhile.put();
    }

    @Test
    @Rule("VF-13")
    @Rule("VF-57")
    void theLastCloseResetsASetThatNobodyHasOpen() {
        FunctionLayout layout = Passthrough.stubborn();
        machine.plug("one", "sw0.1", 0, layout);
        machine.plug("two", "sw0.1", 1, Passthrough.stubborn());
        VfioFile one = machine.open("one");
        VfioFile two = machine.open("two");
        assertThat(resets("one")).as("neither can be reset alone").isEmpty();
        one.put();
        assertThat(resets("one")).as("the other is open").isEmpty();
        two.put();
        assertThat(resets("one")).containsExactly(ResetKind.HOT);
        assertThat(resets("two")).containsExactly(ResetKind.HOT);
    }
}
