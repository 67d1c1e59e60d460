package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.tests.fabric.SharedVram.ITS;
import static org.peerlane.tests.fabric.SharedVram.OURS;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.bus.pcie.BusEvents;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.ImporterDevice;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.dmabuf.api.Violation.Severity;
import org.peerlane.dmabuf.core.DmaBufCore;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.kernel.api.Profile;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Use of a mapping when it must not be used")
class ShadowTest {
    private final LiveExecution execution = new LiveExecution("shadow");

    @AfterEach
    void stop() {
        execution.close();
    }

    private static DmaBufMapping map(Attachment attachment) {
        return attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
    }

    private static Violation only(SharedVram shared) {
        assertThat(shared.core.violations()).hasSize(1);
        return shared.core.violations().getFirst();
    }

    @Test
    @Rule("CK-1")
    @Rule("DY-12")
    void whoDoesNotDrainCorruptsTheNewOwnersBytesAndIsReported() {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            AtomicBoolean once = new AtomicBoolean();
            Armed armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "bus.posted.to-peer",
                                    () -> {
                                        if (once.compareAndSet(false, true)) {
                                            shared.move(); // while the write is on its way
                                        }
                                    });
            shared.importer.write(mapping.table().address(0), ITS, 64);
            shared.flush();
            armed.close();
            assertThat(shared.first()).isEqualTo((byte) ITS);
            Violation late = only(shared);
            assertThat(late.rule()).isEqualTo("CK-1");
            assertThat(late.severity()).isEqualTo(Severity.FATAL);
            assertThat(late.owner()).isEqualTo("nvme-driver");
            assertThat(late.buffer()).isEqualTo(shared.buffer.id());
            assertThat(late.attachment()).isEqualTo(attachment.id());
            assertThat(late.mapping()).isEqualTo(mapping.id());
            assertThat(late.sentence())
                    .contains(
                            "nvme0 of nvme-driver wrote 64 bytes at %#x through mapping %d (generation 0) of vram#%d"
                                    .formatted(
                                            mapping.table().address(0),
                                            mapping.id(),
                                            shared.buffer.id()));
            shared.finish(attachment, mapping);
        }
    }

    @Test
    @Rule("CK-1")
    @Rule("dma-buf:T-12")
    void whoDrainsInTheCallbackIsNotReported() {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> shared.flush());
            DmaBufMapping mapping = map(attachment);
            shared.importer.write(mapping.table().address(0), ITS, 64);
            shared.move();
            assertThat(shared.first()).isEqualTo((byte) OURS);
            SharedVram.unmap(mapping);
            DmaBufMapping moved = map(attachment);
            assertThat(moved.table().address(0)).isEqualTo(mapping.table().address(0) + 4096);
            assertThat(shared.exporter.vram.get(ValueLayout.JAVA_BYTE, 4096))
                    .isEqualTo((byte) ITS); // what it had written has moved
            shared.importer.write(moved.table().address(0), ITS + 1, 64);
            shared.flush();
            assertThat(shared.exporter.vram.get(ValueLayout.JAVA_BYTE, 4096))
                    .isEqualTo((byte) (ITS + 1));
            assertThat(shared.first()).isEqualTo((byte) OURS);
            assertThat(shared.core.violations()).isEmpty();
            shared.finish(attachment, moved);
        }
    }

    @Test
    @Rule("CK-1")
    void aWriteToTheOldPlaceIsReportedOncePerMappingAndAReadIsAHint() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            shared.move();
            long address = mapping.table().address(0);
            shared.importer.read(address + 8, new byte[8]);
            assertThat(only(shared).severity()).isEqualTo(Severity.HINT);
            shared.importer.write(address, ITS, 1);
            shared.importer.write(address + 4095, ITS, 1);
            assertThat(shared.broken()).containsExactly("CK-1", "CK-1");
            assertThat(shared.core.violations().getLast().severity()).isEqualTo(Severity.FATAL);
            shared.finish(attachment, mapping);
        }
    }

    @Explore(schedules = 100)
    @Rule("CK-1")
    void anAccessThatNoFenceOfTheImporterStandsForMayNotBegin(Execution simulated) {
        try (SharedVram shared = new SharedVram(simulated, true)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            long address = mapping.table().address(0);
            Fence others = shared.fence(shared.gpu, FenceUsage.BOOKKEEP);
            Fence its = shared.fence(shared.nvme, FenceUsage.BOOKKEEP);
            shared.invalidate();
            shared.importer.write(address, ITS, 64); // of a job that had begun
            shared.flush();
            assertThat(shared.core.violations()).isEmpty();
            SharedVram.end(its);
            shared.importer.write(address, ITS, 64);
            shared.flush();
            assertThat(only(shared).rule()).isEqualTo("CK-1");
            assertThat(only(shared).sentence()).contains("it began after the invalidate");
            SharedVram.end(others);
            shared.finish(attachment, mapping);
        }
    }

    @Test
    @Rule("CK-2")
    void whoUsesADirectAddressAfterUnmapIsReportedThoughTheBytesArrive() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            SharedVram.unmap(mapping);
            shared.importer.write(mapping.table().address(0), ITS, 64);
            assertThat(shared.first()).isEqualTo((byte) ITS);
            assertThat(only(shared).rule()).isEqualTo("CK-2");
            assertThat(only(shared).mapping()).isEqualTo(mapping.id());
            DmaBufMapping anew = map(attachment); // the same addresses
            shared.importer.write(anew.table().address(0), ITS, 64);
            assertThat(shared.core.violations()).hasSize(1);
            shared.finish(attachment, anew);
        }
    }

    @Test
    @Rule("CK-64")
    @Rule("DY-40")
    void whoCouldNotReserveAFenceAndGoesOnIsReported() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            Attachment attachment = shared.attach(ShadowTest::reserve);
            DmaBufMapping mapping = map(attachment);
            try (Armed _ =
                    execution
                            .checkpoints()
                            .arm(
                                    "dmabuf.resv.reserve",
                                    () -> {
                                        throw new ErrnoException(Errno.ENOMEM, "injected");
                                    })) {
                shared.invalidate();
            }
            assertThat(shared.broken()).isEmpty();
            shared.importer.write(mapping.table().address(0), ITS, 64);
            shared.importer.write(mapping.table().address(0), ITS, 64);
            assertThat(shared.broken()).containsExactly("CK-64", "CK-1");
            shared.finish(attachment, mapping);
        }
    }

    private static void reserve(Attachment attachment) {
        try {
            attachment.buffer().reservation().reserveFences(1);
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
        }
    }

    @Test
    @Rule("CK-3")
    void whoUsesAnAddressAfterARevokeIsReported() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            DmaBufMapping[] mapped = new DmaBufMapping[1];
            Attachment attachment =
                    shared.attach(of -> of.unmap(mapped[0], DmaDirection.BIDIRECTIONAL));
            mapped[0] = map(attachment);
            shared.gpu.revoke(shared.buffer, false);
            assertThat(shared.core.violations()).isEmpty();
            shared.importer.write(mapped[0].table().address(0), ITS, 64);
            assertThat(shared.first()).isEqualTo((byte) ITS);
            assertThat(only(shared).rule()).isEqualTo("CK-3");
            assertThat(only(shared).mapping()).isEqualTo(mapped[0].id());
            assertThat(only(shared).sentence()).contains("REVOKED");
            shared.finish(attachment);
        }
    }

    @Explore(schedules = 100)
    @Rule("CK-28")
    @Rule("DY-3")
    void whoDoesNotWaitForTheCopyIsReported(Execution simulated) {
        try (SharedVram shared = new SharedVram(simulated, true)) {
            Attachment attachment = shared.attach(_ -> {});
            Fence copy = shared.fence(shared.gpu, FenceUsage.KERNEL);
            DmaBufMapping early = map(attachment);
            shared.importer.read(early.table().address(0), new byte[64]);
            assertThat(only(shared).rule()).isEqualTo("CK-28");
            assertThat(only(shared).mapping()).isEqualTo(early.id());
            SharedVram.unmap(early);
            DmaBufMapping patient = map(attachment);
            SharedVram.end(copy);
            shared.importer.read(patient.table().address(0), new byte[64]);
            assertThat(shared.core.violations()).hasSize(1);
            shared.finish(attachment, patient);
        }
    }

    @Test
    @Rule("CK-56")
    void aWriteThroughAMappingForReadingIsReported() {
        try (SharedVram shared = new SharedVram(execution, false)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.TO_DEVICE);
            shared.importer.read(mapping.table().address(0), new byte[64]);
            assertThat(shared.core.violations()).isEmpty();
            shared.importer.write(mapping.table().address(0), ITS, 64);
            assertThat(only(shared).rule()).isEqualTo("CK-56");
            shared.finish(attachment, mapping);
        }
    }

    /** An exporter of a page of RAM, which each device reaches through the IOMMU. */
    private record Pages(AddressRange<PhysicalAddress> page) implements DmaBufOperations {
        @Override
        public SgTable map(Attachment attachment, DmaDirection direction) {
            DmaDevice dma = attachment.device().dma();
            assertThat(dma).isNotNull();
            return dma.map(List.of(page), direction, 0);
        }

        @Override
        public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
            DmaDevice dma = attachment.device().dma();
            assertThat(dma).isNotNull();
            dma.unmap(table);
        }

        @Override
        public void release(DmaBuf buffer) {}
    }

    @Test
    @Rule("CK-2")
    @Rule("IM-5")
    void whatTheIommuStopsAfterAnUnmapIsReportedByMapping() {
        try (Rig rig = new Rig(execution, List.of(), true)) {
            Card card = rig.plug("nvme0", "00:04.0");
            DmaBufCore core = new DmaBufCore(execution, rig.tracer, Profile.DEFAULT, null, true);
            rig.root.observer(Objects.requireNonNull(core.observer()));
            OwnerDmaBufs heap = new OwnerDmaBufs("heap", core);
            OwnerDmaBufs nvme = new OwnerDmaBufs("nvme-driver", core);
            long page = rig.page(OURS);
            DmaBuf buffer =
                    heap.export(
                            new ExportInfo(
                                    "system",
                                    new Pages(
                                            AddressRange.ofLength(new PhysicalAddress(page), 4096)),
                                    4096,
                                    this));
            Attachment attachment =
                    nvme.dynamicAttach(
                            buffer,
                            ImporterDevice.of(
                                    rig.function("nvme0"),
                                    rig.iommu().device(rig.function("nvme0").address())),
                            new AttachOperations(false, _ -> {}),
                            null);
            DmaBufMapping first = map(attachment);
            DmaBufMapping other = map(attachment);
            card.write(first.table().address(0), ITS, 64);
            assertThat(rig.at(page)).isEqualTo((byte) ITS);
            SharedVram.unmap(first);
            rig.fill(page, OURS);
            rig.trace();
            card.write(first.table().address(0), ITS, 64);
            rig.expect(page, OURS, "through the IOMMU");
            assertThat(rig.events(BusEvents.DmaLost.class))
                    .extracting(BusEvents.DmaLost::why)
                    .containsExactly("IOMMU fault");
            assertThat(core.violations()).hasSize(1);
            Violation late = core.violations().getFirst();
            assertThat(late.rule()).isEqualTo("CK-2");
            assertThat(late.mapping()).isEqualTo(first.id());
            assertThat(late.sentence()).contains("which nobody took");
            card.write(other.table().address(0), ITS, 64);
            assertThat(core.violations()).hasSize(1);
            SharedVram.unmap(other);
            nvme.detach(buffer, attachment);
            heap.put(buffer);
        }
    }
}
