package org.peerlane.exporter.cmaheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.exporter.cmaheap.CmaMachine.PAGE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufs;
import org.peerlane.dmabuf.api.DmaHeap;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.ResidentBuffer;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.Profile;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;
import org.peerlane.testkit.Rule;

@DisplayName("The CMA heap")
class CmaHeapTest {
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    private static final int ALL = 2048;

    private final CmaMachine machine = new CmaMachine(8);

    @AfterEach
    void nothingIsLeft() {
        assertThat(machine.core.buffers()).isEmpty();
        machine.close(); // counts pages
    }

    private static void expect(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    private SgTable table(DmaBuf buffer) {
        DmaBufs importer = machine.bundle("importer");
        Attachment attachment = importer.attach(buffer, new ImporterDevice("pseudo", null, null));
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
        SgTable table = mapping.table();
        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
        importer.detach(buffer, attachment);
        return table;
    }

    // ---- the area

    @Test
    @Rule("HP-30")
    void theAreaIsSetAsideAndGoesBackWithItsLastBuffer() {
        CmaArea area = new CmaArea(machine.execution, machine.memory, 9, 8);
        assertThat(machine.memory.pages().freePages())
                .as("8 MiB, and 9 rounded up")
                .isEqualTo(machine.free - ALL - 3 * 1024);
        long block = area.allocate(PAGE);
        area.put();
        assertThat(machine.memory.pages().freePages()).isEqualTo(machine.free - ALL - 3 * 1024);
        area.free(block, PAGE);
        assertThat(machine.memory.pages().freePages()).isEqualTo(machine.free - ALL);
        expect(Errno.ENODEV, () -> area.allocate(PAGE));
    }

    @ParameterizedTest
    @CsvSource({"0, 8, EINVAL", "-4, 8, EINVAL", "4, -1, EINVAL", "4, 11, EINVAL", "32, 8, ENOMEM"})
    @Rule("HP-30")
    void anAreaThatCannotBeIsRefused(int mib, int order, Errno errno) {
        expect(errno, () -> new CmaArea(machine.execution, machine.memory, mib, order));
    }

    @Test
    @Rule("HP-30")
    void theNameDependsOnTheKernel() {
        assertThat(CmaRegion.heapName(Profile.parse("6.19"), "reserved"))
                .isEqualTo("default_cma_region");
        assertThat(CmaRegion.heapName(Profile.parse("6.14"), "linux,cma")).isEqualTo("linux,cma");
    }

    // ---- blocks

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 4", "256, 256", "257, 256", "700, 256"})
    @Rule("HP-30")
    void aBufferIsOneRunAlignedToItsOrderUpToTheLimit(int pages, int alignment) {
        DmaBuf before = machine.allocate(1);
        DmaBuf buffer = machine.allocate(pages);
        SgTable table = table(buffer);
        assertThat(table.size()).isEqualTo(1);
        assertThat(table.length(0)).isEqualTo(pages * PAGE);
        assertThat(table.address(0) - table(before).address(0)).isEqualTo(alignment * PAGE);
        assertThat(buffer.exporterName()).isEqualTo("default_cma_region");
        buffer.put();
        before.put();
    }

    @Test
    @Rule("HP-30")
    void withoutAlignmentBlocksLieSideBySide() {
        CmaArea area = new CmaArea(machine.execution, machine.memory, 4, 0);
        long one = area.allocate(PAGE);
        long two = area.allocate(3 * PAGE);
        assertThat(two).isEqualTo(one + PAGE);
        area.free(one, PAGE);
        area.free(two, 3 * PAGE);
        area.put();
    }

    @Test
    @Rule("HP-30")
    void aFragmentedAreaHasNoLongBlockThoughHalfOfItIsFree() {
        List<DmaBuf> buffers = new ArrayList<>();
        for (int i = 0; i < ALL / 64; i++) {
            buffers.add(machine.allocate(64));
        }
        expect(Errno.ENOMEM, () -> machine.allocate(1));
        for (int i = 0; i < buffers.size(); i += 2) {
            buffers.get(i).put();
        }
        expect(Errno.ENOMEM, () -> machine.allocate(65));
        DmaBuf fits = machine.allocate(64);
        fits.put();
        for (int i = 1; i < buffers.size(); i += 2) {
            buffers.get(i).put();
        }
        DmaBuf all = machine.allocate(ALL);
        all.put();
        expect(Errno.ENOMEM, () -> machine.allocate(ALL + 1));
    }

    @Test
    @Rule("HP-30")
    void memoryIsZeroWhoeverHadItBefore() {
        DmaBuf first = machine.allocate(2);
        long at = table(first).address(0) + PAGE + 7;
        machine.memory.write(at, MemorySegment.ofArray(new byte[] {-1}), 0, 1);
        first.put();
        DmaBuf second = machine.allocate(2);
        byte[] read = {1};
        machine.memory.read(at, MemorySegment.ofArray(read), 0, 1);
        assertThat(read[0]).isZero();
        second.put();
    }

    @Test
    @Rule("HP-2")
    void aDescriptorIsGivenOrNothingIsTaken() {
        FileTable one = new FileTable("small", 1);
        DmaHeap.Allocation all = new DmaHeap.Allocation(ALL * PAGE, 0, 2, 0);
        one.close(machine.heap.allocate(all, one));
        machine.heap.allocate(new DmaHeap.Allocation(PAGE, 0, 2, 0), one);
        expect(
                Errno.EMFILE,
                () -> machine.heap.allocate(new DmaHeap.Allocation(PAGE, 0, 2, 0), one));
        one.closeAll();
        machine.allocate(ALL).put();
    }

    // ---- the CPU

    @Test
    @Rule("HP-31")
    void theKernelAddressesAllOfIt() {
        DmaBuf buffer = machine.allocate(700);
        buffer.reservation()
                .whileHeld(_ -> {
                    var map = buffer.vmap();
                    assertThat(map.segment().byteSize()).isEqualTo(700 * PAGE);
                    map.segment().set(ValueLayout.JAVA_BYTE, 699 * PAGE, (byte) 7);
                    buffer.vunmap(map);
                });
        byte[] read = new byte[1];
        machine.memory.read(
                table(buffer).address(0) + 699 * PAGE, MemorySegment.ofArray(read), 0, 1);
        assertThat(read[0]).isEqualTo((byte) 7);
        buffer.put();
    }

    @Test
    @Rule("HP-31")
    void aMappingIsSharedAndFilledByFaultsPageByPage() {
        DmaBuf buffer = machine.allocate(4);
        long physical = table(buffer).address(0);
        try (AddressSpace process = machine.spaces.create("user")) {
            int readOnly = AddressSpace.PROT_READ;
            expect(
                    Errno.EINVAL,
                    () -> buffer.mmap(process, 0, PAGE, readOnly, AddressSpace.MAP_PRIVATE, 0));
            CpuMapping mapping =
                    buffer.mmap(process, 0, 3 * PAGE, RW, AddressSpace.MAP_SHARED, PAGE);
            assertThat(process.entry(mapping.first())).isZero();
            process.store(mapping.first() + PAGE, 1, 1);
            assertThat(process.entry(mapping.first() + PAGE) & 0x000f_ffff_ffff_f000L)
                    .isEqualTo(physical + 2 * PAGE);
            assertThat(process.entry(mapping.first())).isZero();
            assertThat(process.entry(mapping.first() + 2 * PAGE)).isZero();
            assertThatThrownBy(() -> process.pin(mapping.first(), PAGE, 0))
                    .hasMessageContaining("EFAULT");
        }
        buffer.put();
    }

    @Test
    @Rule("HP-31")
    void behindTheEndIsABusError() {
        ResidentBuffer operations = machine.heap.take(2 * PAGE);
        MappingOperations faults = fault -> operations.fault(null, fault);
        try (AddressSpace process = machine.spaces.create("user")) {
            var longer = machine.spaces.object("longer", MappableKind.FRAMES, faults);
            CpuMapping mapping = process.map(0, 3 * PAGE, RW, AddressSpace.MAP_SHARED, longer, 0);
            process.store(mapping.first() + PAGE, 1, 1);
            assertThatThrownBy(() -> process.store(mapping.first() + 2 * PAGE, 1, 1))
                    .isInstanceOf(BusError.class);
        }
        operations.release(null);
    }
}
