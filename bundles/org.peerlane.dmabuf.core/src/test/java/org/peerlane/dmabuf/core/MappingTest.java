package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.dmabuf.core.TestExporter.table;
import static org.peerlane.dmabuf.core.TestMachine.expect;
import static org.peerlane.dmabuf.core.TestMachine.map;
import static org.peerlane.dmabuf.core.TestMachine.unmap;

import java.util.ArrayDeque;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Mapping")
class MappingTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("map"));
    private final TestExporter.Pinned exporter = new TestExporter.Pinned();
    private final Buffer buffer = machine.export(exporter);

    @Test
    @Rule("DB-27")
    void upTo6_14AStaticImporterOfMovableStorageIsMappedAtAttach() {
        TestMachine old = new TestMachine(new LiveExecution("old"), "6.14", null);
        TestExporter.Pinned movable = new TestExporter.Pinned();
        Buffer shared = old.export(movable);
        BufferAttachment attachment = old.attach(shared);
        assertThat(movable.calls).containsExactly("attach free", "pin held", "map held");
        BufferMapping one = map(attachment);
        BufferMapping other = map(attachment);
        assertThat(other.table().address(0)).isEqualTo(one.table().address(0));
        unmap(one);
        unmap(other);
        assertThat(movable.calls).hasSize(3);
        assertThat(shared.pins()).isEqualTo(1);
        old.nvme.detach(shared, attachment);
        assertThat(movable.names())
                .containsExactly("attach", "pin", "map", "unmap", "unpin", "detach");
        assertThat(old.broken()).isEmpty();
    }

    @Test
    @Rule("DB-27")
    void whatFailsThenLeavesNothing() {
        TestMachine old = new TestMachine(new LiveExecution("old"), "6.14", null);
        TestExporter.Pinned movable = new TestExporter.Pinned();
        Buffer shared = old.export(movable);
        movable.before =
                (name, _) -> {
                    if (name.equals("map")) {
                        throw new ErrnoException(Errno.ENOSPC, "no room");
                    }
                };
        expect(Errno.ENOSPC, () -> old.attach(shared));
        assertThat(movable.names()).containsExactly("attach", "pin", "map", "unpin", "detach");
        assertThat(shared.pins()).isZero();
        assertThat(shared.attached().snapshot()).isEmpty();
    }

    @Test
    @Rule("DB-27")
    void laterTheOnlyMappingsAreThoseThatAreAskedFor() {
        TestExporter.Pinned movable = new TestExporter.Pinned();
        Buffer shared = machine.export(movable);
        machine.nvme.detach(shared, machine.attach(shared));
        assertThat(movable.names()).containsExactly("attach", "detach");
    }

    @Test
    @Rule("CK-27")
    void addressesThatAreTakenBackUnderRunningWorkAreReported() {
        TestMachine its = new TestMachine(new LiveExecution("work"));
        Buffer shared = its.export(new TestExporter());
        BufferAttachment attachment = its.attach(shared, _ -> {});
        BufferMapping one = map(attachment);
        BufferMapping other = map(attachment);
        Fence work = its.fence(its.nvme, shared, FenceUsage.READ);
        unmap(one);
        assertThat(its.broken()).isEmpty(); // there is another mapping
        unmap(other);
        assertThat(its.broken()).containsExactly("CK-27");
        assertThat(its.last().owner()).isEqualTo("nvme");
        assertThat(its.last().mapping()).isEqualTo(other.id());
        work.signal();
        unmap(map(attachment));
        assertThat(its.broken()).hasSize(1);
    }

    @Test
    @Rule("DB-31")
    @Rule("DB-32")
    @Rule("DB-36")
    @Rule("dma-buf:T-14")
    @Rule("DY-52")
    void aStaticAttachmentIsPinnedExactlyWhileMapped() {
        BufferAttachment attachment = machine.attach(buffer);
        BufferMapping one = map(attachment);
        BufferMapping two = map(attachment);
        assertThat(buffer.pins()).isEqualTo(2);
        unmap(one);
        unmap(two);
        assertThat(exporter.calls)
                .containsExactly(
                        "attach free",
                        "pin held",
                        "map held",
                        "pin held",
                        "map held",
                        "unmap held",
                        "unpin held",
                        "unmap held",
                        "unpin held");
        assertThat(buffer.pins()).isZero();
        assertThat(attachment.pins()).isZero();
    }

    @Test
    @Rule("DB-31")
    void aDynamicOneIsNotPinned() {
        unmap(map(machine.attach(buffer, _ -> {})));
        assertThat(exporter.names()).containsExactly("attach", "map", "unmap");
    }

    @Test
    @Rule("DB-30")
    @Rule("CK-14")
    void pinsAreCountedAndOneUnpinTooManyIsReported() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        buffer.reservation()
                .whileHeld(_ -> {
                    attachment.pin();
                    attachment.pin();
                    assertThat(buffer.pins()).isEqualTo(2);
                    attachment.unpin();
                    attachment.unpin();
                    assertThat(machine.broken()).isEmpty();
                    attachment.unpin();
                });
        assertThat(machine.broken()).containsExactly("CK-14");
        assertThat(exporter.names()).containsExactly("attach", "pin", "pin", "unpin", "unpin");
        assertThat(buffer.pins()).isZero();
    }

    @Test
    @Rule("DB-30")
    void aStaticImporterThatPinsIsReported() {
        BufferAttachment attachment = machine.attach(buffer);
        buffer.reservation().whileHeld(_ -> attachment.pin());
        assertThat(machine.broken()).containsExactly("DB-30");
    }

    @Test
    @Rule("DB-32")
    void aRefusedPinIsHandedOnAndSaidOnce() {
        exporter.before = failing("pin", Errno.EBUSY);
        BufferAttachment attachment = machine.attach(buffer);
        expect(Errno.EBUSY, () -> map(attachment));
        expect(Errno.EBUSY, () -> map(attachment));
        assertThat(machine.broken()).containsExactly("DB-32");
        assertThat(exporter.names()).containsExactly("attach", "pin", "pin");
        assertThat(buffer.pins()).isZero();
    }

    private static TestExporter.Call failing(String call, Errno errno) {
        return (name, _) -> {
            if (name.equals(call)) {
                throw new ErrnoException(errno, "the exporter says no");
            }
        };
    }

    @Test
    @Rule("DB-33")
    void whatMapThrowsIsHandedOnWithoutThePin() {
        exporter.before = failing("map", Errno.EINTR);
        expect(Errno.EINTR, () -> map(machine.attach(buffer)));
        assertThat(exporter.names()).containsExactly("attach", "pin", "map", "unpin");
        assertThat(buffer.pins()).isZero();
        assertThat(buffer.mapped().size()).isZero();
    }

    @Test
    @Rule("DB-33")
    void noTableIsNoMemoryAndTheExporterIsNamed() {
        exporter.tables = () -> null;
        expect(Errno.ENOMEM, () -> map(machine.attach(buffer)));
        assertThat(machine.broken()).containsExactly("DB-33");
        assertThat(machine.last().owner()).isEqualTo("heap");
        assertThat(buffer.pins()).isZero();
    }

    @Test
    @Rule("CK-7")
    void anExporterThatThrowsAnythingElseLeaksNothingAndOthersGoOn() {
        exporter.before =
                (name, _) -> {
                    if (name.equals("map")) {
                        throw new IndexOutOfBoundsException("page 9");
                    }
                };
        BufferAttachment attachment = machine.attach(buffer);
        expect(Errno.EIO, () -> map(attachment));
        assertThat(machine.broken()).containsExactly("CK-7");
        assertThat(machine.last().owner()).isEqualTo("heap");
        assertThat(machine.last().sentence()).contains("page 9");
        assertThat(buffer.pins()).isZero();
        assertThat(buffer.reservation().isLocked()).isFalse();
        unmap(map(machine.attach(machine.export(new TestExporter()))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dmabuf.map.entered",
                "dmabuf.map.after-pin",
                "dmabuf.map.after-map",
                "dmabuf.map.done"
            })
    @Rule("DB-34")
    void aFailureAtAnyPointOfMapUndoesWhatWasDone(String point) throws Exception {
        BufferAttachment attachment = machine.attach(buffer);
        try (var _ =
                machine.execution
                        .checkpoints()
                        .arm(
                                point,
                                () -> {
                                    throw new ErrnoException(Errno.ENOMEM, "injected");
                                })) {
            expect(Errno.ENOMEM, () -> map(attachment));
        }
        assertThat(buffer.pins()).isZero();
        assertThat(buffer.mapped().size()).isZero();
        List<String> names = exporter.names();
        assertThat(names.stream().filter("map"::equals).count())
                .isEqualTo(names.stream().filter("unmap"::equals).count());
        assertThat(names.stream().filter("pin"::equals).count())
                .isEqualTo(names.stream().filter("unpin"::equals).count());
    }

    @Explore(schedules = 1_000)
    @Rule("DB-34")
    void aStaticImporterWaitsForMovesOfTheStorage(Execution execution) throws Exception {
        TestMachine other = new TestMachine(execution);
        Buffer moved = other.export(new TestExporter.Pinned());
        BufferAttachment attachment = other.attach(moved);
        Fence move = other.fence(moved, FenceUsage.KERNEL);
        Fence write = other.fence(moved, FenceUsage.WRITE);
        EmulatedThread importer =
                other.start(
                        "importer",
                        () -> {
                            map(attachment);
                            assertThat(move.isSignaled()).isTrue();
                        });
        execution.sleep(1_000_000);
        assertThat(moved.mapped().size()).isZero();
        move.signal();
        TestMachine.join(importer);
        assertThat(write.isSignaled()).isFalse();
    }

    @Explore(schedules = 1_000)
    @Rule("DB-34")
    void anInterruptEndsThatWaitWithNothingMappedOrPinned(Execution execution) throws Exception {
        TestMachine other = new TestMachine(execution);
        TestExporter.Pinned its = new TestExporter.Pinned();
        Buffer moved = other.export(its);
        BufferAttachment attachment = other.attach(moved);
        other.fence(moved, FenceUsage.KERNEL);
        EmulatedThread importer =
                other.start("importer", () -> expect(Errno.ERESTARTSYS, () -> map(attachment)));
        execution.sleep(1_000_000);
        importer.interrupt();
        TestMachine.join(importer);
        assertThat(its.names()).containsExactly("attach", "pin", "map", "unmap", "unpin");
        assertThat(moved.reservation().isLocked()).isFalse();
    }

    @Test
    @Rule("DB-35")
    @Rule("DY-3")
    @Rule("CK-28")
    void aDynamicImporterIsNotWaitedForAndMustWaitItself() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        Fence move = machine.fence(buffer, FenceUsage.KERNEL);
        BufferMapping early = map(attachment);
        BufferMapping late = map(attachment);
        early.firstAccess();
        assertThat(machine.broken()).containsExactly("CK-28");
        assertThat(machine.last().mapping()).isEqualTo(early.id());
        assertThat(machine.last().owner()).isEqualTo("nvme");
        early.firstAccess();
        move.signal();
        late.firstAccess();
        assertThat(machine.broken()).containsExactly("CK-28");
    }

    @Test
    @Rule("DB-36")
    void whatIsUnmappedMustBeItsOwnAndInTheSameDirection() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        BufferAttachment other = machine.attach(buffer, _ -> {});
        BufferMapping mapping = map(attachment);
        assertThatIllegalStateException()
                .isThrownBy(() -> other.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL));
        assertThat(machine.broken()).containsExactly("DB-36");
        attachment.unmapUnlocked(mapping, DmaDirection.TO_DEVICE);
        assertThat(machine.broken()).containsExactly("DB-36", "DB-36");
        assertThatIllegalStateException().isThrownBy(() -> unmap(mapping));
        assertThat(exporter.names()).containsOnlyOnce("unmap");
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
    }

    @Test
    @Rule("DB-37")
    void theUnlockedFormsTakeTheReservationAndGiveItBack() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.TO_DEVICE);
        assertThat(buffer.reservation().isLocked()).isFalse();
        attachment.unmapUnlocked(mapping, DmaDirection.TO_DEVICE);
        assertThat(exporter.calls).containsExactly("attach free", "map held", "unmap held");
        assertThat(buffer.reservation().isLocked()).isFalse();
    }

    @Test
    @Rule("DB-38")
    @Rule("DB-39")
    @Rule("CK-15")
    void theImporterGetsACopyOfAddressesAndLengthsAlone() {
        SgTable own = table(0x1000, 0x3000, 0x8000, 0x1000);
        exporter.tables = () -> own;
        SgTable given = map(machine.attach(buffer, _ -> {})).table();
        assertThat(given).isNotSameAs(own);
        assertThat(given.origin()).isNotEqualTo(own.origin());
        assertThat(given.size()).isEqualTo(2);
        assertThat(given.address(1)).isEqualTo(0x8000);
        assertThat(given.length(1)).isEqualTo(0x1000);
    }

    @Test
    @Rule("DB-39")
    @Rule("DY-15")
    void unmapGivesTheExporterItsOwnTableBack() {
        SgTable own = table(0x1000, TestMachine.SIZE);
        ArrayDeque<SgTable> back = new ArrayDeque<>();
        TestExporter keeping =
                new TestExporter() {
                    @Override
                    public void unmap(
                            org.peerlane.dmabuf.api.Attachment attachment,
                            SgTable table,
                            DmaDirection direction) {
                        back.add(table);
                    }
                };
        keeping.tables = () -> own;
        Buffer its = machine.export(keeping);
        BufferMapping mapping = map(machine.attach(its, _ -> {}));
        keeping.tables = () -> table(0x9000, TestMachine.SIZE);
        machine.invalidate(its);
        unmap(mapping);
        assertThat(back).containsExactly(own);
    }

    @Test
    @Rule("DB-38")
    void tablesThatDoNotFitTheBufferAreReportedAndHandedOn() {
        List<SgTable> wrong =
                List.of(
                        table(),
                        table(0x1000, 0x1000),
                        table(0x1000, 0x8000),
                        table(0x1000, 0x2000, 0x2000, 0x2000),
                        table(-0x1000L, 0x4000));
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        for (SgTable table : wrong) {
            exporter.tables = () -> table;
            assertThat(map(attachment).table().size()).isEqualTo(table.size());
        }
        assertThat(machine.broken()).containsOnly("DB-38").hasSize(wrong.size());
        assertThat(machine.last().owner()).isEqualTo("heap");
        exporter.tables = () -> table(0x9000, 0x1000, 0x1000, 0x3000);
        map(attachment);
        exporter.tables = () -> table(0x1000, 0x3000, 0x4000, 0x1000);
        map(attachment);
        assertThat(machine.broken()).hasSize(wrong.size());
    }

    @Test
    @Rule("DB-40")
    void whatIsNotWholePagesIsSaidAndNotRefused() {
        exporter.tables = () -> table(0x1000, 0x3F00, 0x6000, 0x100);
        map(machine.attach(buffer, _ -> {}));
        assertThat(machine.broken()).containsExactly("DB-40");
    }

    @Test
    @Rule("DB-41")
    void anExporterWithOneTablePerAttachmentIsNotMappedTwice() {
        SgTable one = table(0x1000, TestMachine.SIZE);
        exporter.tables = () -> one;
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        unmap(map(attachment));
        BufferMapping mapping = map(attachment);
        assertThat(machine.broken()).isEmpty();
        map(attachment);
        assertThat(machine.broken()).containsExactly("DB-41");
        assertThat(machine.last().owner()).isEqualTo("nvme");
        assertThat(mapping.state()).isEqualTo(MappingState.VALID);
    }

    @Test
    @Rule("DB-32")
    void aDetachedAttachmentMapsNothing() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        machine.nvme.detach(buffer, attachment);
        assertThatThrownBy(() -> map(attachment)).isInstanceOf(ErrnoException.class);
        assertThat(machine.broken()).containsExactly("DB-32");
        assertThat(exporter.names()).containsExactly("attach", "detach");
    }
}
