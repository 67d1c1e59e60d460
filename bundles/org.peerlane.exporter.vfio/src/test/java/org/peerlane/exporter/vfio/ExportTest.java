package org.peerlane.exporter.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.exporter.vfio.Passthrough.PAGE;
import static org.peerlane.exporter.vfio.Passthrough.SECOND;
import static org.peerlane.exporter.vfio.Passthrough.errno;
import static org.peerlane.exporter.vfio.Passthrough.expect;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.dmabuf.DmaBufMachine;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.vfio.api.DmaBufRequest;
import org.peerlane.vfio.api.DmaBufRequest.Range;
import org.peerlane.vfio.api.Feature;
import org.peerlane.vfio.api.VfioFile;

@DisplayName("BARs as buffers")
class ExportTest {
    private static final int RW = 2;

    private Passthrough machine = new Passthrough();
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

    /** Another kernel. */
    private void with(String profile) {
        close();
        machine = new Passthrough(profile);
        open();
    }

    private DmaBuf whole() {
        return file.dmaBuf(DmaBufRequest.of(2, 0, 0x1_0000));
    }

    private static DmaBufRequest request(int region, int flags, long... ranges) {
        List<Range> list = new ArrayList<>();
        for (int i = 0; i < ranges.length; i += 2) {
            list.add(new Range(ranges[i], ranges[i + 1]));
        }
        return new DmaBufRequest(region, RW, flags, list);
    }

    // ---- making one

    @Test
    @Rule("RK-10")
    @Rule("CK-11")
    void checksComeInTheOrderOfTheKernels() {
        assertThat(errno(() -> file.dmaBuf(request(9, 1)))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(9, 0)))).as("no ranges").isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(6, 0, 0, 1)))).as("ROM").isEqualTo(Errno.ENODEV);
        assertThat(errno(() -> file.dmaBuf(request(7, 0, 0, 1)))).isEqualTo(Errno.ENODEV);
        assertThat(errno(() -> file.dmaBuf(request(-1, 0, 0, 1)))).isEqualTo(Errno.ENODEV);
        assertThat(errno(() -> file.dmaBuf(request(1, 0, 0, 1))))
                .as("no BAR")
                .isEqualTo(Errno.ENODEV);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0, 0)))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0, 0x800)))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0x800, PAGE)))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0, Long.MIN_VALUE))))
                .as("bit 63 of the size")
                .isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0, 1L << 62, 0, 1L << 62))))
                .as("sum")
                .isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, -PAGE, PAGE))))
                .as("address overflow")
                .isEqualTo(Errno.EOVERFLOW);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0x1_0000, PAGE)))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> file.dmaBuf(request(2, 0, 0xF000, 0x2000)))).isEqualTo(Errno.EINVAL);
        assertThat(machine.core.buffers()).as("nothing is left").isEmpty();
    }

    @Test
    @Rule("RK-10")
    @Rule("CK-11")
    void aBarOfPortsIsNoBuffer() {
        machine.plug(
                "ports",
                "sw0.1",
                0,
                FunctionLayout.of(0x1234, 3, 0x00FF00).bar(BarLayout.io(2, 32)).build());
        VfioFile ports = machine.open("ports");
        expect(Errno.EINVAL, () -> ports.dmaBuf(DmaBufRequest.of(2, 0, PAGE)));
        ports.put();
    }

    @Test
    @Rule("RK-11")
    @Rule("VF-68")
    void rangesAreInTheirOrderAndMayOverlapAndRepeat() {
        DmaBuf buffer =
                file.dmaBuf(request(2, 0, 0x8000, PAGE, 0, 0x2000, 0x1000, PAGE, 0x8000, PAGE));
        assertThat(buffer.size()).isEqualTo(5 * PAGE);
        assertThat(buffer.exporterName()).isEqualTo("vfio-pci");
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(buffer);
        assertThat(importer.map(DmaDirection.BIDIRECTIONAL).table().bytes()).isEqualTo(5 * PAGE);
        importer.detach();
        buffer.put();
        DmaBuf table = file.dmaBuf(DmaBufRequest.of(4, 0, 0x4000));
        assertThat(table.size()).as("the page of the MSI-X table, too").isEqualTo(0x4000);
        table.put();
    }

    @ParameterizedTest
    @CsvSource({"0, 0, false", "2, 2, false", "0x80001, 1, true", "0x80802, 2, true"})
    @Rule("RK-11")
    @Rule("VF-69")
    void openFlagsGiveTheAccessModeAndCloseOnExec(String flags, int mode, boolean cloexec) {
        FileTable files = machine.files;
        int open = Integer.decode(flags);
        int fd = file.dmaBuf(new DmaBufRequest(2, open, 0, List.of(new Range(0, PAGE))), files);
        DmaBuf buffer = machine.owner("other").get(files, fd);
        assertThat(buffer.flags()).isEqualTo(mode);
        buffer.put();
        files.close(fd);
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    @Rule("RK-10")
    void withoutADescriptorNothingIsLeft() {
        FileTable full = new FileTable("full", 1);
        int first = file.dmaBuf(DmaBufRequest.of(2, 0, PAGE), full);
        expect(Errno.EMFILE, () -> file.dmaBuf(DmaBufRequest.of(2, 0, PAGE), full));
        full.close(first);
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    @Rule("RK-12")
    @Rule("VF-69")
    void itBeginsRevokedWhileMemoryIsOff() {
        Passthrough.memory(file, false);
        DmaBuf buffer = whole();
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        Passthrough.memory(file, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        buffer.put();
    }

    @Test
    @Rule("VF-67")
    @Rule("UA-2")
    void featuresAreProbed() {
        int buf = Feature.DMA_BUF;
        file.probeFeature(buf | Feature.PROBE);
        file.probeFeature(buf | Feature.PROBE | Feature.GET);
        expect(Errno.EINVAL, () -> file.probeFeature(buf | Feature.PROBE | Feature.SET));
        expect(Errno.EINVAL, () -> file.probeFeature(buf | Feature.SET));
        expect(Errno.EINVAL, () -> file.probeFeature(buf));
        expect(Errno.EINVAL, () -> file.probeFeature(buf | 1 << 19));
        expect(Errno.EINVAL, () -> file.probeFeature(buf | Feature.GET | Feature.SET));
        expect(Errno.ENOTTY, () -> file.probeFeature(77 | Feature.PROBE));
        expect(
                Errno.ENOTTY,
                () -> file.probeFeature(Feature.DMA_BUF_REVOKE | Feature.PROBE | Feature.SET));
        file.probeFeature(Feature.LOW_POWER_ENTRY | Feature.PROBE | Feature.SET);
        with("6.14");
        expect(Errno.ENOTTY, () -> file.probeFeature(buf | Feature.PROBE));
        expect(Errno.ENOTTY, this::whole);
    }

    // ---- attach and map

    private Attachment attach(DmaBuf buffer, boolean peers, boolean told) {
        ImporterDevice device = new ImporterDevice("pseudo", null, null);
        return machine.owner("importer")
                .dynamicAttach(
                        buffer, device, new AttachOperations(peers, told ? _ -> {} : null), null);
    }

    @Test
    @Rule("dma-buf:T-19")
    void whoComesWhileMemoryIsOffIsRefusedUntilItIsOn() {
        Passthrough.memory(file, false);
        DmaBuf buffer = file.dmaBuf(request(2, 0, 0, PAGE, 0x4000, 2 * PAGE));
        assertThat(buffer.size()).isEqualTo(3 * PAGE);
        expect(Errno.ENODEV, () -> attach(buffer, true, true));
        Passthrough.memory(file, true);
        Attachment attachment = attach(buffer, true, true);
        machine.owner("importer").detach(buffer, attachment);
        buffer.put();
    }

    @Test
    @Rule("PP-11")
    void whetherThereIsARouteIsForMapToSay() {
        DmaBuf buffer = whole();
        Attachment attachment = attach(buffer, true, true); // a device that is not on the bus
        assertThat(attachment.peer2peer()).isTrue();
        expect(Errno.EINVAL, () -> attachment.mapUnlocked(DmaDirection.TO_DEVICE));
        machine.owner("importer").detach(buffer, attachment);
        buffer.put();
        assertThat(machine.machine().violations()).isEmpty();
    }

    @Test
    @Rule("RK-13")
    @Rule("VF-70")
    @Rule("PP-10")
    @Rule("dma-buf:T-25")
    void whoTakesNoPeersMemoryOrCannotBeToldIsRefused() {
        DmaBuf buffer = whole();
        expect(Errno.EOPNOTSUPP, () -> attach(buffer, false, true));
        expect(Errno.EOPNOTSUPP, () -> attach(buffer, true, false));
        expect(
                Errno.EOPNOTSUPP,
                () ->
                        machine.owner("importer")
                                .attach(buffer, new ImporterDevice("pseudo", null, null)));
        Attachment fine = attach(buffer, true, true);
        machine.owner("importer").detach(buffer, fine);
        Passthrough.memory(file, false);
        expect(Errno.ENODEV, () -> attach(buffer, true, true));
        buffer.put();
    }

    @Test
    @Rule("RK-13")
    @Rule("VF-71")
    @Rule("VF-72")
    @Rule("VF-74")
    @Rule("RK-3")
    @Rule("RK-5")
    void memoryOffWaitsUntilTheLastMappingIsGivenBack() {
        DmaBuf buffer = whole();
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(buffer);
        DmaBufMapping mapping = importer.map(DmaDirection.BIDIRECTIONAL);
        DmaBufMachine tools = machine.machine();
        EmulatedThread off = tools.start("vmm", () -> Passthrough.memory(file, false));
        tools.until(10 * SECOND, "the importer is told", () -> importer.told() > 0);
        assertThat(machine.function("card").readConfig(4, 2) & 2)
                .as("decode while somebody has it mapped")
                .isEqualTo(2);
        assertThat(off.isAlive()).isTrue();
        importer.unmap();
        DmaBufMachine.join(off);
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(machine.function("card").readConfig(4, 2) & 2).isZero();
        expect(Errno.ENODEV, () -> importer.attachment().mapUnlocked(DmaDirection.TO_DEVICE));
        Passthrough.memory(file, true);
        assertThat(importer.told()).as("told when it comes back, too (RK-16)").isGreaterThan(1);
        importer.map(DmaDirection.BIDIRECTIONAL);
        importer.detach();
        buffer.put();
        assertThat(tools.violations()).isEmpty();
    }

    @Test
    @Rule("RK-18")
    void aPinIsAllowedSince71() {
        pins(null);
        with("7.0");
        pins(Errno.EOPNOTSUPP);
    }

    private void pins(Errno expected) {
        DmaBuf buffer = whole();
        Attachment attachment = attach(buffer, true, true);
        buffer.reservation()
                .whileHeld(_ -> {
                    assertThat(errno(attachment::pin)).isEqualTo(expected);
                    if (expected == null) {
                        attachment.unpin();
                    }
                });
        machine.owner("importer").detach(buffer, attachment);
        buffer.put();
    }

    // ---- the end

    @Test
    @Rule("CK-9")
    void aBufferIsRevokedForGoodBeforeTheLastCloseTouchesTheFunction() {
        DmaBuf buffer = whole();
        List<RevokeState> seen = new ArrayList<>();
        machine.silicon.get("card").onReset = () -> seen.add(buffer.revokeState());
        file.put();
        assertThat(seen).isNotEmpty().containsOnly(RevokeState.REVOKED_FOR_GOOD);
        machine.silicon.get("card").onReset = () -> {};
        file = machine.open("card");
        buffer.put();
    }

    @Test
    @Rule("RK-14")
    @Rule("VF-75")
    void aBufferOutlivesItsFileAndIsRevokedForGood() {
        DmaBuf buffer = whole();
        file.put();
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        file = machine.open("card");
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        DmaBuf other = whole();
        assertThat(other.revokeState()).isEqualTo(RevokeState.OK);
        other.put();
        buffer.put();
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    @Rule("RK-14")
    void whoUnbindsTheFunctionWaitsForImportersUpToALimit() {
        DmaBuf buffer = whole();
        MockImporter importer = machine.importer("nvme0", MockImporter.Kind.DYNAMIC);
        importer.attach(buffer);
        DmaBufMapping mapping = importer.map(DmaDirection.BIDIRECTIONAL);
        machine.root.unbindDriver(machine.function("card"));
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(machine.machine().broken()).as("the importer is named").containsExactly("RK-4");
        expect(Errno.ENODEV, () -> file.info());
        expect(Errno.ENODEV, this::whole);
        importer.detach();
        buffer.put();
        machine.bind(machine.function("card"));
        file.put();
        file = machine.open("card");
        whole().put();
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Test
    @Rule("RK-14")
    void aFunctionThatIsPulledOutTakesItsBuffersWithIt() {
        DmaBuf buffer = whole();
        machine.root.pull("card");
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        expect(Errno.ENODEV, () -> file.reset());
        expect(Errno.ENODEV, () -> attach(buffer, true, true));
        buffer.put();
        assertThat(machine.core.buffers()).isEmpty();
    }

    // ---- revoke-v3

    @Test
    @Rule("RK-20")
    @Rule("RK-21")
    @Rule("RK-22")
    @Rule("VF-77")
    void aBufferIsTakenAwayForGood() {
        DmaBuf plain = whole();
        expect(Errno.ENOTTY, () -> file.revoke(plain));
        plain.put();
        with("7.3+revoke-v3");
        DmaBuf buffer = whole();
        DmaBuf other = whole();
        file.revoke(buffer);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(other.revokeState()).isEqualTo(RevokeState.OK);
        expect(Errno.EBADFD, () -> file.revoke(buffer));
        expect(Errno.EINVAL, () -> file.revoke(file));
        Passthrough.memory(file, false);
        file.revoke(other);
        Passthrough.memory(file, true);
        assertThat(other.revokeState()).as("no way back").isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        machine.plug("second", "sw0.1", 0, Passthrough.card());
        VfioFile second = machine.open("second");
        expect(Errno.ENODEV, () -> second.revoke(buffer));
        second.put();
        buffer.put();
        other.put();
    }

    @Test
    @Rule("RK-23")
    @Rule("RK-24")
    @Rule("VF-43")
    @Rule("VF-76")
    void aBufferCanBeMappedByAProcessWithTheSeriesOnly() {
        int rw = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
        DmaBuf plain = whole();
        try (AddressSpace process = machine.spaces.create("vmm")) {
            expect(
                    Errno.EINVAL,
                    () -> plain.mmap(process, 0, PAGE, rw, AddressSpace.MAP_SHARED, 0));
        }
        plain.put();
        with("7.3+revoke-v3");
        DmaBuf buffer = file.dmaBuf(request(2, 0, 0x2000, PAGE, 0, PAGE));
        try (AddressSpace process = machine.spaces.create("vmm")) {
            expect(
                    Errno.EINVAL,
                    () ->
                            buffer.mmap(
                                    process,
                                    0,
                                    PAGE,
                                    AddressSpace.PROT_READ,
                                    AddressSpace.MAP_PRIVATE,
                                    0));
            CpuMapping mapping = buffer.mmap(process, 0, 2 * PAGE, rw, AddressSpace.MAP_SHARED, 0);
            process.store(mapping.first() + PAGE + 8, 8, 0x77);
            assertThat(Passthrough.read(file, 2, 8, 8)).as("second slice").isEqualTo(0x77);
            Passthrough.memory(file, false);
            assertThat(errno(() -> busError(process, mapping.first() + PAGE + 8))).isNull();
            expect(
                    Errno.ENODEV,
                    () -> buffer.mmap(process, 0, PAGE, rw, AddressSpace.MAP_SHARED, 0));
            Passthrough.memory(file, true);
            assertThat(process.load(mapping.first() + PAGE + 8, 8)).isEqualTo(0x77);
            file.revoke(buffer);
            busError(process, mapping.first() + PAGE + 8);
        }
        buffer.put();
    }

    private static void busError(AddressSpace process, long address) {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> process.load(address, 8))
                .isInstanceOf(BusError.class);
    }
}
