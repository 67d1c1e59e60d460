package org.peerlane.exporter.udmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.exporter.udmabuf.UdmabufMachine.PAGE;
import static org.peerlane.exporter.udmabuf.UdmabufMachine.at;
import static org.peerlane.exporter.udmabuf.UdmabufMachine.expect;
import static org.peerlane.memory.api.Memfd.F_SEAL_FUTURE_WRITE;
import static org.peerlane.memory.api.Memfd.F_SEAL_GROW;
import static org.peerlane.memory.api.Memfd.F_SEAL_SHRINK;
import static org.peerlane.memory.api.Memfd.F_SEAL_WRITE;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Udmabuf.Item;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.EventFd;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.memory.api.Memfd;
import org.peerlane.testkit.Rule;

@DisplayName("udmabuf")
class UdmabufTest {
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final int SHARED = AddressSpace.MAP_SHARED;

    private final UdmabufMachine machine = new UdmabufMachine();

    @AfterEach
    void nothingIsLeft() {
        machine.close();
    }

    private Item item(long offset, long size) {
        return new Item(machine.last(), offset, size);
    }

    private long free() {
        return machine.memory.pages().freePages();
    }

    private static SgTable table(DmaBufs importer, DmaBuf buffer) {
        Attachment attachment = importer.attach(buffer, new ImporterDevice("pseudo", null, null));
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
        SgTable table = mapping.table();
        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
        importer.detach(buffer, attachment);
        return table;
    }

    // ---- UDMABUF_CREATE

    @ParameterizedTest
    @CsvSource({"100, 4096", "0, 100", "0, 0", "0, 68157440", "0, -4096", "-4096, 4096"})
    @Rule("UB-1")
    void partsAreWholePagesWithinTheLimitsOfTheDeviceAndTheFile(long offset, long size) {
        machine.memfd(65 << 20, F_SEAL_SHRINK);
        long before = free();
        expect(Errno.EINVAL, () -> machine.create(item(offset, size)));
        assertThat(free()).isEqualTo(before);
    }

    @Test
    @Rule("UB-1")
    void allPartsTogetherMeetTheLimitsToo() {
        machine.memfd(40 << 20, F_SEAL_SHRINK);
        Item half = item(0, 32 << 20);
        DmaBuf buffer = machine.create(half, half);
        assertThat(buffer.size()).isEqualTo(64 << 20);
        buffer.put();
        expect(Errno.EINVAL, () -> machine.create(half, half, item(0, PAGE)));
        expect(Errno.EINVAL, () -> machine.create());
        List<Item> most = Collections.nCopies(1024, item(0, PAGE));
        machine.take(machine.udmabuf.createList(machine.files, 0, most)).put();
        List<Item> more = Collections.nCopies(1025, new Item(-1, 1, 1));
        expect(Errno.EINVAL, () -> machine.udmabuf.createList(machine.files, 0, more));
    }

    @Test
    @Rule("UB-1")
    void onlyMemfdsWillDo() {
        expect(Errno.EBADFD, () -> machine.create(new Item(7, 0, PAGE)));
        expect(Errno.EINVAL, () -> machine.create(new Item(7, 1, PAGE))); // looked at first
        machine.files.install(new EventFd());
        expect(Errno.EBADFD, () -> machine.create(item(0, PAGE)));
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0,
                F_SEAL_GROW,
                F_SEAL_SHRINK | F_SEAL_WRITE,
                F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE
            })
    @Rule("UB-1")
    void theMemfdMayNotShrinkAndMustBeWritable(int seals) {
        machine.memfd(PAGE, seals);
        expect(Errno.EINVAL, () -> machine.create(item(0, PAGE)));
    }

    @Test
    @Rule("dma-buf:T-33")
    void sealsAndTheSizeLimit() {
        Memfd memfd = machine.memfd(65 << 20, 0);
        expect(Errno.EINVAL, () -> machine.create(item(0, PAGE)));
        memfd.addSeals(F_SEAL_SHRINK);
        expect(Errno.EINVAL, () -> machine.create(item(0, 65 << 20)));
        machine.create(item(0, PAGE)).put();
        memfd.addSeals(F_SEAL_WRITE);
        expect(Errno.EINVAL, () -> machine.create(item(0, PAGE)));
    }

    @Test
    @Rule("UB-1")
    void theDescriptorIsForBothDirections() {
        machine.memfd(PAGE, F_SEAL_SHRINK);
        DmaBuf buffer = machine.take(machine.udmabuf.create(machine.files, 0, item(0, PAGE)));
        assertThat(buffer.flags() & ExportInfo.O_ACCMODE).isEqualTo(ExportInfo.O_RDWR);
        assertThat(buffer.exporterName()).isEqualTo("udmabuf");
        buffer.put();
    }

    @Test
    @Rule("UB-1")
    @Rule("CK-67")
    void whateverFailsPinsNothing() {
        Memfd memfd = machine.memfd(8 * PAGE, F_SEAL_SHRINK);
        FileTable full = new FileTable("full", 1);
        memfd.get();
        full.install(memfd);
        expect(
                Errno.EMFILE,
                () -> machine.udmabuf.create(full, 0, new Item(0, 0, PAGE))); // the very last step
        expect(Errno.EINVAL, () -> machine.create(item(0, PAGE), item(8 * PAGE, PAGE)));
        expect(Errno.EBADFD, () -> machine.create(item(0, PAGE), new Item(9, 0, PAGE)));
        expect(Errno.EINVAL, () -> machine.create(item(0, PAGE), item(PAGE, 0)));
        machine.memory.pages().failNth(2);
        expect(Errno.ENOMEM, () -> machine.create(item(0, PAGE), item(4 * PAGE, 4 * PAGE)));
        machine.memory.pages().failNth(0);
        assertThat(machine.core.buffers()).isEmpty();
        full.closeAll();
        memfd.addSeals(F_SEAL_WRITE);
    }

    // ---- pages

    @Test
    @Rule("UB-2")
    void pagesStayForTheBuffersLifeWhateverBecomesOfTheMemfd() {
        Memfd memfd = machine.memfd(2 * PAGE, F_SEAL_SHRINK);
        long before = free();
        DmaBuf buffer = machine.create(item(0, 2 * PAGE));
        assertThat(free()).as("holes are filled").isEqualTo(before - 2);
        expect(Errno.EBUSY, () -> memfd.addSeals(F_SEAL_WRITE));
        machine.files.close(machine.last());
        assertThat(free()).as("the memfd has gone").isEqualTo(before - 2);
        buffer.put();
        assertThat(free()).isEqualTo(before);
    }

    @Test
    @Rule("UB-4")
    void eachMapIsATableOfItsOwnWithAnEntryForEachPage() {
        machine.memfd(4 * PAGE, F_SEAL_SHRINK);
        DmaBuf buffer = machine.create(item(2 * PAGE, 2 * PAGE), item(0, PAGE));
        DmaBufs importer = machine.owner("importer");
        Attachment one = importer.attach(buffer, new ImporterDevice("one", null, null));
        Attachment two = importer.attach(buffer, new ImporterDevice("two", null, null));
        DmaBufMapping first = one.mapUnlocked(DmaDirection.TO_DEVICE);
        DmaBufMapping second = two.mapUnlocked(DmaDirection.TO_DEVICE); // at the same time
        assertThat(first.table()).isNotSameAs(second.table());
        assertThat(first.table().size()).isEqualTo(3);
        assertThat(first.table().length(1)).isEqualTo(PAGE);
        one.unmapUnlocked(first, DmaDirection.TO_DEVICE);
        two.unmapUnlocked(second, DmaDirection.TO_DEVICE);
        importer.detach(buffer, one);
        importer.detach(buffer, two);
        buffer.put();
    }

    @Test
    @Rule("UB-4")
    void anAccessOfTheCpuEndsOnlyOnceOneHasBegun() {
        machine.memfd(PAGE, F_SEAL_SHRINK);
        DmaBuf buffer = machine.create(item(0, PAGE));
        expect(Errno.EINVAL, () -> buffer.endCpuAccess(DmaDirection.TO_DEVICE));
        buffer.beginCpuAccess(DmaDirection.TO_DEVICE);
        buffer.endCpuAccess(DmaDirection.TO_DEVICE);
        buffer.endCpuAccess(DmaDirection.TO_DEVICE); // once is enough for all
        buffer.beginCpuAccess(DmaDirection.TO_DEVICE); // as many as ended, for the checks
        buffer.beginCpuAccess(DmaDirection.TO_DEVICE);
        buffer.put();
    }

    // ---- processes

    @Test
    @Rule("UB-3")
    void theProcessesOfBothSeeTheSameBytes() {
        Memfd memfd = machine.memfd(8 * PAGE, F_SEAL_SHRINK);
        DmaBuf buffer = machine.create(item(6 * PAGE, PAGE), item(PAGE, 2 * PAGE));
        try (AddressSpace process = machine.spaces.create("user")) {
            CpuMapping its = buffer.mmap(process, 0, 3 * PAGE, RW, SHARED, 0);
            CpuMapping file = memfd.mmap(process, 0, 8 * PAGE, RW, SHARED, 0);
            process.store(its.first(), 1, 1);
            process.store(its.first() + 2 * PAGE, 1, 2);
            assertThat(process.load(file.first() + 6 * PAGE, 1)).isEqualTo(1);
            assertThat(at(memfd, 2 * PAGE)).isEqualTo(2);
            memfd.write(PAGE + 5, MemorySegment.ofArray(new byte[] {3}));
            assertThat(process.load(its.first() + PAGE + 5, 1)).isEqualTo(3);
        }
        buffer.put();
    }

    @Test
    @Rule("UB-3")
    void aMappingIsSharedAndFilledByFaults() {
        machine.memfd(2 * PAGE, F_SEAL_SHRINK);
        DmaBuf buffer = machine.create(item(0, 2 * PAGE));
        try (AddressSpace process = machine.spaces.create("user")) {
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
            CpuMapping mapping = buffer.mmap(process, 0, 2 * PAGE, RW, SHARED, 0);
            assertThat(process.entry(mapping.first() + PAGE)).isZero();
            process.store(mapping.first() + PAGE, 1, 1);
            assertThat(process.entry(mapping.first() + PAGE)).isNotZero();
        }
        buffer.put();
    }

    @Test
    @Rule("UB-3")
    void behindTheEndIsABusError() {
        UdmabufBuffer operations =
                new UdmabufBuffer(
                        machine.memory,
                        List.of(machine.memfd(PAGE, F_SEAL_SHRINK).pin(0, PAGE, 0, 0)));
        MappingOperations faults = fault -> operations.fault(null, fault);
        try (AddressSpace process = machine.spaces.create("user")) {
            CpuMapping mapping =
                    process.map(
                            0,
                            2 * PAGE,
                            RW,
                            SHARED,
                            machine.spaces.object("longer", MappableKind.FRAMES, faults),
                            0);
            assertThat(process.load(mapping.first(), 1)).isZero();
            assertThatThrownBy(() -> process.load(mapping.first() + PAGE, 1))
                    .isInstanceOf(BusError.class);
        }
        operations.release(null);
    }

    @Test
    @Rule("UB-5")
    void itNeverMovesAndOnlyTheBundlesEndTakesItAway() {
        Memfd memfd = machine.memfd(PAGE, F_SEAL_SHRINK);
        DmaBuf buffer = machine.create(item(0, PAGE));
        DmaBufs importer = machine.owner("importer");
        long where = table(importer, buffer).address(0);
        memfd.punchHole(0, PAGE);
        assertThat(table(importer, buffer).address(0)).isEqualTo(where);
        memfd.truncate(2 * PAGE);
        assertThat(table(importer, buffer).address(0)).isEqualTo(where);
        machine.stop();
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        memfd.addSeals(F_SEAL_WRITE); // all is unpinned
        buffer.put();
    }
}
