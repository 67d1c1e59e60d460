package org.peerlane.exporter.systemheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.exporter.systemheap.HeapMachine.PAGE;
import static org.peerlane.exporter.systemheap.HeapMachine.bytes;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaHeap.Allocation;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.testkit.Rule;

@DisplayName("The system heap")
class SystemHeapTest {
    private static final long MIB = 1 << 20;
    private static final int RW = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;

    private HeapMachine machine = new HeapMachine(false);

    @AfterEach
    void nothingIsLeft() {
        assertThat(machine.core.buffers()).isEmpty();
        assertThat(machine.broken()).isEmpty();
        machine.close(); // counts pages
    }

    private static void expect(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    private DmaBuf allocate(long length) {
        return machine.heap.allocate(bytes(length));
    }

    /** {@return where the chunks are and how long, as a device without an IOMMU is told} */
    private SgTable table(DmaBuf buffer) {
        var importer = machine.owner("importer");
        Attachment attachment = importer.attach(buffer, new ImporterDevice("pseudo", null, null));
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
        SgTable table = mapping.table();
        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
        importer.detach(buffer, attachment);
        return table;
    }

    private List<Long> lengths(DmaBuf buffer) {
        SgTable table = table(buffer);
        List<Long> lengths = new ArrayList<>();
        for (int i = 0; i < table.size(); i++) {
            lengths.add(table.length(i) / PAGE);
        }
        return lengths;
    }

    @Test
    @Rule("HP-2")
    void fieldsAreChecked() {
        expect(Errno.EINVAL, () -> allocate(0));
        expect(Errno.EINVAL, () -> allocate(-1)); // rounds up to 0
        expect(Errno.EINVAL, () -> machine.heap.allocate(new Allocation(PAGE, 1, 2, 0)));
        expect(Errno.EINVAL, () -> machine.heap.allocate(new Allocation(PAGE, 0, 2, 1)));
        expect(Errno.EINVAL, () -> machine.heap.allocate(new Allocation(PAGE, 0, 0x402, 0)));
        expect(Errno.ENOMEM, () -> allocate(-PAGE));
        expect(Errno.ENOMEM, () -> allocate(1L << 40));
        expect(Errno.ENOMEM, () -> allocate(33 * MIB));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "4095, 1", "4096, 1", "4097, 2"})
    @Rule("HP-2")
    void theLengthIsRoundedUpToPages(long length, long pages) {
        DmaBuf buffer = allocate(length);
        assertThat(buffer.size()).isEqualTo(pages * PAGE);
        assertThat(buffer.exporterName()).isEqualTo("system");
        buffer.put();
    }

    @Test
    @Rule("HP-2")
    @Rule("dma-buf:T-4")
    void aDescriptorIsGivenOrNothingIsLeft() {
        FileTable one = new FileTable("small", 1);
        int fd = machine.heap.allocate(bytes(PAGE), one);
        expect(Errno.EMFILE, () -> machine.heap.allocate(bytes(PAGE), one));
        one.close(fd);
    }

    // ---- chunks

    @Test
    @Rule("HP-10")
    @Rule("HP-12")
    @Rule("dma-buf:T-1")
    void chunksAreAsLargeAsWhatIsLeft() {
        DmaBuf buffer = allocate(MIB + 72 * 1024);
        assertThat(buffer.seek(0, DmaBuf.SEEK_END)).isEqualTo(1_122_304);
        assertThat(lengths(buffer)).containsExactly(256L, 16L, 1L, 1L);
        buffer.put();
        DmaBuf small = allocate(60 * 1024);
        assertThat(lengths(small)).hasSize(15).containsOnly(1L);
        small.put();
        DmaBuf two = allocate(2 * MIB);
        assertThat(lengths(two)).as("never merged").containsExactly(256L, 256L);
        two.put();
    }

    @Test
    @Rule("HP-10")
    @Rule("HP-11")
    void aSizeThatIsNotToBeHadIsNotTriedAgain() {
        machine.memory.pages().failNext(8, 1);
        DmaBuf buffer = allocate(2 * MIB);
        assertThat(lengths(buffer)).as("64 KiB each, though 1 MiB is free").hasSize(32);
        buffer.put();
        machine.memory.pages().failNext(4, 1);
        DmaBuf pages = allocate(MIB + 128 * 1024);
        assertThat(lengths(pages)).startsWith(256L, 1L).hasSize(33);
        pages.put();
    }

    @Test
    @Rule("HP-11")
    void whenAPageIsNotToBeHadAllIsGivenBack() {
        long free = machine.memory.pages().freePages();
        machine.memory.pages().failNext(0, 1);
        expect(Errno.ENOMEM, () -> allocate(MIB + 68 * 1024));
        assertThat(machine.memory.pages().freePages()).isEqualTo(free);
        for (int nth = 1; nth <= 4; nth++) {
            machine.memory.pages().failNth(nth);
            try {
                allocate(MIB + 72 * 1024).put();
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
            }
            machine.memory.pages().failNth(0);
            assertThat(machine.memory.pages().freePages()).as("%d", nth).isEqualTo(free);
        }
    }

    @Test
    @Rule("HP-11")
    @Rule("HP-20")
    void memoryIsZeroWhoeverHadItBefore() {
        DmaBuf first = allocate(MIB);
        long at = table(first).address(0);
        MemorySegment ones = MemorySegment.ofArray(new byte[4096]).fill((byte) 0xFF);
        machine.memory.write(at, ones, 0, 4096);
        first.put();
        DmaBuf second = allocate(MIB);
        assertThat(table(second).address(0)).as("the same memory").isEqualTo(at);
        byte[] read = new byte[4096];
        machine.memory.read(at, MemorySegment.ofArray(read), 0, 4096);
        assertThat(read).containsOnly(0);
        second.put();
    }

    // ---- devices

    @Test
    @Rule("HP-13")
    @Rule("HP-14")
    @Rule("dma-buf:T-2")
    void aDeviceBehindAnIommuGetsFewerEntriesOfItsOwnAddresses() {
        DmaBuf buffer = allocate(MIB + 72 * 1024);
        var importer = machine.owner("importer");
        Attachment attachment = importer.attach(buffer, machine.device());
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
        assertThat(mapping.table().bytes()).isEqualTo(buffer.size());
        assertThat(mapping.table().size()).as("one run of IOVA").isEqualTo(1);
        Attachment other = importer.attach(buffer, machine.device());
        DmaBufMapping its = other.mapUnlocked(DmaDirection.TO_DEVICE);
        assertThat(its.table().address(0)).isNotEqualTo(mapping.table().address(0));
        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
        other.unmapUnlocked(its, DmaDirection.TO_DEVICE);
        importer.detach(buffer, attachment);
        importer.detach(buffer, other);
        buffer.put();
    }

    @Test
    @Rule("HP-17")
    void whenTheHeapsBundleLeavesBuffersAreRevokedAndFreed() {
        DmaBuf buffer = allocate(MIB);
        var importer = machine.owner("importer");
        Attachment attachment = importer.attach(buffer, machine.device());
        long before = machine.memory.pages().freePages();
        machine.stopHeap();
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(machine.memory.pages().freePages()).isEqualTo(before + MIB / PAGE);
        importer.detach(buffer, attachment);
        buffer.put();
    }

    // ---- the CPU

    @Test
    @Rule("HP-15")
    void bracketsOfCpuAccessAlwaysWork() {
        DmaBuf buffer = allocate(PAGE);
        buffer.sync(DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE);
        buffer.sync(DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE | DmaBuf.SYNC_END);
        buffer.put();
    }

    @Test
    @Rule("HP-16")
    void theKernelAddressesWhatIsOneRun() {
        DmaBuf buffer = allocate(MIB);
        buffer.reservation()
                .whileHeld(_ -> {
                    IoSysMap map = buffer.vmap();
                    assertThat(map.segment().byteSize()).isEqualTo(MIB);
                    map.segment().set(ValueLayout.JAVA_BYTE, 5, (byte) 7);
                    buffer.vunmap(map);
                });
        byte[] read = new byte[1];
        machine.memory.read(table(buffer).address(0) + 5, MemorySegment.ofArray(read), 0, 1);
        assertThat(read[0]).isEqualTo((byte) 7);
        buffer.put();
    }

    // ---- processes

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Rule("HP-18")
    @Rule("HP-19")
    void aProcessHasAllOfItAtOnceWhicheverWayItIsPutIn(boolean pageByPage) {
        machine.close();
        machine = new HeapMachine(pageByPage);
        DmaBuf buffer = allocate(MIB + 72 * 1024);
        try (AddressSpace process = machine.spaces.create("user")) {
            CpuMapping all = buffer.mmap(process, 0, buffer.size(), RW, AddressSpace.MAP_SHARED, 0);
            SgTable table = table(buffer);
            long at = all.first();
            for (int i = 0; i < table.size(); i++) {
                for (long in = 0; in < table.length(i); in += PAGE) {
                    assertThat(process.entry(at) & 0x000f_ffff_ffff_f000L)
                            .isEqualTo(table.address(i) + in);
                    at += PAGE;
                }
            }
            process.store(all.first() + MIB - 8, 8, 0x1122);
            CpuMapping part =
                    buffer.mmap(process, 0, 3 * PAGE, RW, AddressSpace.MAP_SHARED, MIB - 2 * PAGE);
            assertThat(process.load(part.first() + 2 * PAGE - 8, 8)).isEqualTo(0x1122);
            process.store(part.first() + 2 * PAGE, 8, 0x33);
            assertThat(process.load(all.first() + MIB, 8)).as("the next chunk").isEqualTo(0x33);
            expect(
                    Errno.EINVAL,
                    () ->
                            buffer.mmap(
                                    process,
                                    0,
                                    2 * PAGE,
                                    RW,
                                    AddressSpace.MAP_SHARED,
                                    buffer.size() - PAGE));
            assertThatThrownBy(() -> process.pin(all.first(), PAGE, 0))
                    .hasMessageContaining("EFAULT");
        }
        buffer.put();
    }

    @ParameterizedTest
    @CsvSource({"false, 512", "true, 131072"})
    @Rule("HP-18")
    @Rule("dma-buf:T-36")
    void aCallIsMadeForEachChunkOrForEachPage(boolean pageByPage, int expected) {
        long bytes = 512 * MIB;
        SparseMemory large = new SparseMemory(machine.execution, 600);
        Chunks chunks = Chunks.allocate(large, bytes);
        HeapBuffer buffer = new HeapBuffer(large, chunks, pageByPage);
        AtomicInteger calls = new AtomicInteger();
        AtomicLong end = new AtomicLong(PAGE);
        CpuMapping mapping =
                (CpuMapping)
                        Proxy.newProxyInstance(
                                CpuMapping.class.getClassLoader(),
                                new Class<?>[] {CpuMapping.class},
                                (_, method, arguments) ->
                                        switch (method.getName()) {
                                            case "offset" -> 0L;
                                            case "first" -> PAGE;
                                            case "bytes" -> bytes;
                                            case "insert" -> {
                                                assertThat((long) arguments[0])
                                                        .isEqualTo(end.get());
                                                end.addAndGet((long) arguments[2]);
                                                calls.incrementAndGet();
                                                yield null;
                                            }
                                            default -> throw new AssertionError(method);
                                        });
        DmaBuf any = allocate(PAGE);
        try {
            buffer.mmap(any, mapping);
        } finally {
            any.put();
            chunks.free();
            large.close();
        }
        assertThat(end.get()).isEqualTo(PAGE + bytes);
        assertThat(calls.get()).isEqualTo(expected);
    }

    @Test
    @Rule("HP-19")
    void afterARevokeATouchIsABusError() {
        DmaBuf buffer = allocate(PAGE);
        try (AddressSpace process = machine.spaces.create("user")) {
            CpuMapping mapping = buffer.mmap(process, 0, PAGE, RW, AddressSpace.MAP_SHARED, 0);
            process.store(mapping.first(), 8, 1);
            machine.stopHeap();
            assertThatThrownBy(() -> process.load(mapping.first(), 8)).isInstanceOf(BusError.class);
        }
        buffer.put();
    }

    @Test
    @Rule("HP-19")
    void aTableThatCannotBeHadFailsTheMapping() {
        DmaBuf buffer = allocate(4 * MIB);
        try (AddressSpace process = machine.spaces.create("user")) {
            machine.memory.pages().failNth(2);
            expect(
                    Errno.ENOMEM,
                    () -> buffer.mmap(process, 0, buffer.size(), RW, AddressSpace.MAP_SHARED, 0));
            machine.memory.pages().failNth(0);
            assertThat(process.mappings()).isEmpty();
        }
        buffer.put();
    }
}
