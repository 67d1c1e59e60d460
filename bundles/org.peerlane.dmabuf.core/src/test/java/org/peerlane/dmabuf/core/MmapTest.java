package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.peerlane.dmabuf.core.TestMachine.expect;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.core.SparseMemory;
import org.peerlane.memory.core.space.ProcessSpaces;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Buffers in processes")
class MmapTest {
    private static final long PAGE = 4096;
    private static final long BYTES = 4 * PAGE;
    private static final int READ_WRITE = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;

    /** A machine with RAM, a process and an exporter of RAM. */
    private static final class Fixture implements AutoCloseable {
        final SparseMemory memory;
        final ProcessSpaces spaces;
        final TestMachine machine;
        final RamExporter exporter;
        final AddressSpace process;

        Fixture(Execution execution) {
            memory = new SparseMemory(execution, 64, List.of());
            spaces = new ProcessSpaces(execution, memory);
            machine = new TestMachine(execution, "7.3", spaces);
            exporter = new RamExporter(memory);
            process = spaces.create("process");
        }

        Buffer buffer(int flags) {
            return (Buffer)
                    machine.heap.export(
                            new ExportInfo("system", exporter, BYTES, flags, null, "data"));
        }

        CpuMapping map(DmaBuf buffer, long bytes, long offset) {
            return buffer.mmap(process, 0, bytes, READ_WRITE, AddressSpace.MAP_SHARED, offset);
        }

        @Override
        public void close() {
            process.close();
            spaces.close();
            memory.close();
        }
    }

    /** Four pages in one run, faulted in one by one. */
    private static final class RamExporter extends TestExporter implements DmaBufOperations.Mmap {
        final long first;

        RamExporter(SparseMemory memory) {
            first = memory.pages().allocate(2);
        }

        @Override
        public MappableKind kind(DmaBuf buffer) {
            called("kind", buffer, null);
            return MappableKind.FRAMES;
        }

        @Override
        public void mmap(DmaBuf buffer, CpuMapping mapping) {
            called("mmap", buffer, null);
        }

        @Override
        public FaultResult fault(DmaBuf buffer, Fault fault) {
            called("fault", buffer, null);
            fault.insert(fault.address(), first + fault.offset(), PAGE, true);
            return FaultResult.DONE;
        }
    }

    @Test
    @Rule("DB-54")
    void aProcessTouchesTheStorage() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            Buffer buffer = f.buffer(ExportInfo.O_RDWR);
            f.machine.listen();
            CpuMapping whole = f.map(buffer, BYTES, 0);
            CpuMapping part = f.map(buffer, PAGE, 2 * PAGE);
            f.process.store(whole.first() + 2 * PAGE, 8, 42);
            assertThat(f.process.load(part.first(), 8)).isEqualTo(42);
            assertThat(f.exporter.calls)
                    .containsExactly(
                            "kind free", "mmap free", "mmap free", "fault free", "fault free");
            assertThat(f.machine.events)
                    .contains(new DmaBufEvents.DmaBufMmap(buffer.id(), 2 * PAGE, PAGE));
            assertThat(f.machine.core.buffer(buffer.id()).cpuMappings()).isEqualTo(2);
        }
    }

    @Test
    @Rule("DB-71")
    void aFaultThatWaitsForTheReservationWithTheMmapLockIsReported() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            Buffer buffer = f.buffer(ExportInfo.O_RDWR);
            CpuMapping mapping = f.map(buffer, BYTES, 0);
            f.exporter.before =
                    (name, _) -> {
                        if (name.equals("fault") && buffer.reservation().tryLock()) {
                            buffer.reservation().unlock();
                        }
                    };
            f.process.store(mapping.first(), 8, 1);
            assertThat(f.machine.broken()).isEmpty();
            f.exporter.before = (_, _) -> buffer.reservation().whileHeld(_ -> {});
            f.process.store(mapping.first() + PAGE, 8, 1);
            assertThat(f.machine.broken()).containsExactly("DB-71");
            assertThat(f.machine.last().buffer()).isEqualTo(buffer.id());
            assertThat(f.machine.last().sentence()).contains("with the mmap lock held");
            buffer.reservation().whileHeld(_ -> {});
            assertThat(f.machine.broken()).hasSize(1);
        }
    }

    @Test
    @Rule("DB-71")
    void aFaultThatLetsGoOfTheMmapLockMayWaitForTheReservation() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            int[] retries = new int[1];
            TestExporter retrying = new RetryingExporter(f.exporter, retries);
            Buffer buffer =
                    (Buffer)
                            f.machine.heap.export(
                                    new ExportInfo(
                                            "system",
                                            retrying,
                                            BYTES,
                                            ExportInfo.O_RDWR,
                                            null,
                                            "data"));
            CpuMapping mapping = f.map(buffer, BYTES, 0);
            f.process.store(mapping.first(), 8, 1);
            assertThat(retries[0]).isEqualTo(1);
            assertThat(f.machine.broken()).isEmpty();
        }
    }

    /** Waits for the reservation once, as the kernel's TTM does. */
    private static final class RetryingExporter extends TestExporter
            implements DmaBufOperations.Mmap {
        private final RamExporter ram;
        private final int[] retries;

        RetryingExporter(RamExporter ram, int[] retries) {
            this.ram = ram;
            this.retries = retries;
        }

        @Override
        public MappableKind kind(DmaBuf buffer) {
            return MappableKind.FRAMES;
        }

        @Override
        public void mmap(DmaBuf buffer, CpuMapping mapping) {}

        @Override
        public FaultResult fault(DmaBuf buffer, Fault fault) {
            if (retries[0] == 0) {
                retries[0]++;
                fault.release();
                buffer.reservation().whileHeld(_ -> {});
                return FaultResult.RETRY;
            }
            return ram.fault(buffer, fault);
        }
    }

    @Test
    @Rule("DB-54")
    void whatIsOutsideOrNotOfferedIsRefused() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            Buffer buffer = f.buffer(ExportInfo.O_RDWR);
            expect(Errno.EINVAL, () -> f.map(buffer, BYTES + 1, 0));
            expect(Errno.EINVAL, () -> f.map(buffer, PAGE, BYTES));
            expect(Errno.EINVAL, () -> f.map(buffer, PAGE, 100));
            expect(Errno.EINVAL, () -> f.map(buffer, 0, 0));
            expect(Errno.EOVERFLOW, () -> f.map(buffer, PAGE, Long.MAX_VALUE - 100));
            expect(Errno.EOVERFLOW, () -> f.map(buffer, PAGE, -PAGE));
            Buffer without = f.machine.export(new TestExporter());
            expect(Errno.EINVAL, () -> f.map(without, PAGE, 0));
            f.exporter.before =
                    (name, _) -> {
                        if (name.equals("mmap")) {
                            throw new ErrnoException(Errno.EINVAL, "private");
                        }
                    };
            expect(Errno.EINVAL, () -> f.map(buffer, PAGE, 0));
            assertThat(buffer.references()).isEqualTo(1);
            assertThat(f.process.mappings()).isEmpty();
            assertThat(f.machine.broken()).isEmpty();
        }
    }

    @Test
    @Rule("DB-54")
    void aReadOnlyFileIsNotMappedForStores() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            Buffer buffer = f.buffer(ExportInfo.O_RDONLY);
            expect(Errno.EACCES, () -> f.map(buffer, PAGE, 0));
            CpuMapping mapping =
                    buffer.mmap(
                            f.process, 0, PAGE, AddressSpace.PROT_READ, AddressSpace.MAP_SHARED, 0);
            expect(Errno.EACCES, () -> f.process.protect(mapping.first(), PAGE, READ_WRITE));
            expect(Errno.EACCES, () -> f.map(f.buffer(ExportInfo.O_WRONLY), PAGE, 0));
        }
    }

    @Explore(schedules = 200)
    @Rule("DB-55")
    @Rule("DB-10")
    void aMappingOutlivesTheDescriptorsAndItsLastPartEndsTheBuffer(Execution execution)
            throws Exception {
        Fixture f = new Fixture(execution);
        FileTable files = new FileTable("process");
        var lock = execution.lock("test.released");
        var released = lock.newCondition("released");
        boolean[] done = {false};
        f.exporter.before =
                (name, _) -> {
                    if (name.equals("release")) {
                        lock.lock();
                        done[0] = true;
                        released.signalAll();
                        lock.unlock();
                    }
                };
        Buffer buffer = f.buffer(ExportInfo.O_RDWR);
        int fd = f.machine.heap.fd(files, buffer, 0);
        CpuMapping mapping = f.map(buffer, BYTES, 0);
        files.close(fd);
        assertThat(buffer.references()).isEqualTo(1);
        f.process.store(mapping.first(), 8, 1);
        long first = mapping.first();
        f.process.unmap(first + PAGE, PAGE);
        assertThat(buffer.references()).isEqualTo(2);
        f.process.unmap(first, PAGE);
        assertThat(done[0]).isFalse();
        f.process.unmap(first + 2 * PAGE, 2 * PAGE);
        lock.lock();
        while (!done[0]) {
            released.await();
        }
        lock.unlock();
        assertThat(f.machine.broken()).isEmpty();
        f.close();
    }

    @Test
    @Rule("DB-55")
    @Rule("RK-23")
    @Rule("RK-24")
    @Rule("dma-buf:T-24")
    void aRevokeTakesItOutOfPageTablesAndAccessMayComeBack() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            Buffer buffer = f.buffer(ExportInfo.O_RDWR);
            CpuMapping mapping = f.map(buffer, BYTES, 0);
            f.process.store(mapping.first(), 8, 7);
            f.machine.heap.revoke(buffer, false);
            assertThat(f.process.entry(mapping.first())).isZero();
            assertThatExceptionOfType(BusError.class)
                    .isThrownBy(() -> f.process.load(mapping.first(), 8));
            expect(Errno.ENODEV, () -> f.map(buffer, PAGE, 0));
            f.machine.heap.unrevoke(buffer);
            assertThat(f.process.load(mapping.first(), 8)).isEqualTo(7);
            f.machine.heap.revoke(buffer, true);
            assertThatExceptionOfType(BusError.class)
                    .isThrownBy(() -> f.process.load(mapping.first(), 8));
        }
    }

    @Test
    @Rule("CK-7")
    void anExporterThatThrowsInAFaultIsReportedAndTheProcessGetsABusError() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            Buffer buffer = f.buffer(ExportInfo.O_RDWR);
            CpuMapping mapping = f.map(buffer, BYTES, 0);
            f.exporter.before =
                    (_, _) -> {
                        throw new IllegalArgumentException("no such page");
                    };
            assertThatExceptionOfType(BusError.class)
                    .isThrownBy(() -> f.process.load(mapping.first(), 8));
            assertThat(f.machine.broken()).containsExactly("CK-7");
            f.exporter.before = (_, _) -> {};
            f.machine.heap.revoke(buffer, false);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("RK-24")
    @Rule("RK-3")
    void noFaultPutsBackWhatARevokeHasTakenOut(Execution execution) throws Exception {
        Fixture f = new Fixture(execution);
        Buffer buffer = f.buffer(ExportInfo.O_RDWR);
        CpuMapping mapping = f.map(buffer, BYTES, 0);
        EmulatedThread cpu =
                f.machine.start(
                        "cpu",
                        () -> {
                            try {
                                for (int i = 0; i < 3; i++) {
                                    f.process.store(mapping.first(), 8, i);
                                }
                            } catch (BusError e) {
                                assertThat(buffer.revocation().isTaken()).isTrue();
                            }
                        });
        f.machine.heap.revoke(buffer, false);
        assertThat(f.process.entry(mapping.first())).isZero();
        TestMachine.join(cpu);
        assertThat(f.process.entry(mapping.first())).isZero();
        assertThat(f.machine.broken()).isEmpty();
        f.close();
    }

    @Test
    @Rule("DB-54")
    void withoutProcessesNothingIsMapped() {
        try (Fixture f = new Fixture(new LiveExecution("mmap"))) {
            TestMachine bare = new TestMachine(new LiveExecution("bare"));
            expect(Errno.ENODEV, () -> f.map(bare.export(f.exporter), PAGE, 0));
        }
    }
}
