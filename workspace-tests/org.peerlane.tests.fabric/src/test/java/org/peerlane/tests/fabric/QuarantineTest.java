package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.peerlane.tests.fabric.SharedVram.ITS;
import static org.peerlane.tests.fabric.SharedVram.OURS;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.bus.api.DmaResult;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.DmaBufOperations;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.QuarantineInfo;
import org.peerlane.dmabuf.core.OwnerDmaBufs;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.iommu.api.DmaDevice;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.iommu.api.SgTable;
import org.peerlane.kernel.api.AddressRange;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Devices of those who leave or are late")
class QuarantineTest {
    private static final int FEW = 100;
    private static final long LIMIT = 2 * Rig.SECOND;

    /** A page of RAM, which importers reach through the IOMMU. */
    private record Ram(SharedVram shared, long page) implements DmaBufOperations {
        @Override
        public SgTable map(Attachment attachment, DmaDirection direction) {
            return attachment
                    .device()
                    .dma()
                    .map(
                            List.of(AddressRange.ofLength(new PhysicalAddress(page), 4096)),
                            direction,
                            0);
        }

        @Override
        public void unmap(Attachment attachment, SgTable table, DmaDirection direction) {
            attachment.device().dma().unmap(table);
        }

        @Override
        public void release(DmaBuf buffer) {}
    }

    private static void expect(Errno errno, String text, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .withMessageContaining(text)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private static DmaBufMapping map(Attachment attachment) {
        return attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
    }

    /** An engine that writes, whatever happens, until the bus refuses it. */
    private static EmulatedThread runaway(SharedVram shared, long address) {
        return shared.importer.engine(() -> {
            while (!shared.importer.stopping) {
                if (shared.importer.writeStatus(address, ITS, 64) == DmaResult.BUS_MASTER_OFF) {
                    return;
                }
                sleep(shared, LIMIT / 50);
            }
        });
    }

    private static void sleep(SharedVram shared, long nanos) {
        try {
            shared.rig.execution.sleep(nanos);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(SharedVram shared, BooleanSupplier so) {
        for (int i = 0; i < 100 && !so.getAsBoolean(); i++) {
            sleep(shared, LIMIT / 10);
        }
        assertThat(so.getAsBoolean()).isTrue();
    }

    private static boolean isMaster(PcieFunction function) {
        return (function.readConfig(Registers.COMMAND, 2) & Registers.MASTER) != 0;
    }

    @Explore(schedules = 1_000)
    @Rule("RK-4")
    @Rule("CK-3")
    void aDeviceThatDoesNotStopIsCutOffBeforeItsMemoryGoesToSomebodyElse(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            shared.buffer.get(); // the importer's
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            EmulatedThread engine = runaway(shared, mapping.table().address(0));
            shared.gpu.close();
            shared.exporter.vram.fill((byte) OURS); // the next owner's
            Rig.join(engine);
            sleep(shared, LIMIT);
            assertThat(shared.first()).isEqualTo((byte) OURS);
            assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
            assertThat(shared.core.departures().getLast().quarantined()).containsExactly("nvme0");
            assertThat(shared.core.quarantined())
                    .singleElement()
                    .returns("nvme0", QuarantineInfo::slot)
                    .returns("nvme-driver", QuarantineInfo::owner)
                    .returns(true, QuarantineInfo::blocked);
            assertThat(shared.broken()).contains("CK-3", "RK-4"); // it was late, and seen
            PcieFunction function = shared.rig.function("nvme0");
            assertThat(isMaster(function)).isFalse();
            assertThat(shared.rig.iommu().domainOf(function.address(), -1))
                    .contains(shared.rig.iommu().blocked());
            shared.nvme.detach(shared.buffer, attachment);
            shared.buffer.put();
        }
    }

    @Explore(schedules = FEW)
    @Rule("RK-4")
    void whoeverTakesThePlaceOfADeviceThatWasCutOffIsFree(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            shared.buffer.get(); // the importer's
            Attachment attachment = shared.attach(_ -> {});
            EmulatedThread engine = runaway(shared, map(attachment).table().address(0));
            shared.gpu.close();
            Rig.join(engine);
            PcieFunction function = shared.rig.function("nvme0");
            assertThat(shared.rig.iommu().domainOf(function.address(), -1))
                    .contains(shared.rig.iommu().blocked());
            shared.rig.root.pull("nvme0");
            shared.rig.settle();
            assertThat(shared.core.quarantined()).isEmpty();
            assertThat(shared.rig.iommu().domainOf(function.address(), -1))
                    .as("the domain of the address")
                    .isNotEqualTo(Optional.of(shared.rig.iommu().blocked()));
            shared.nvme.detach(shared.buffer, attachment);
            shared.buffer.put();
        }
    }

    @Explore(schedules = 1_000)
    @Rule("PC-68")
    void whatADeviceHadPostedArrivesBeforeItsMemoryGoesToSomebodyElse(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            shared.buffer.get(); // the importer's
            Attachment attachment = shared.attach(_ -> {});
            long address = map(attachment).table().address(0);
            try (Armed _ =
                    execution
                            .checkpoints()
                            .arm(
                                    "dmabuf.quarantine.before-master-off",
                                    () -> shared.importer.write(address, ITS, 64))) {
                shared.gpu.close();
            }
            shared.exporter.vram.fill((byte) OURS); // the next owner's
            sleep(shared, LIMIT);
            assertThat(shared.first()).isEqualTo((byte) OURS);
            shared.nvme.detach(shared.buffer, attachment);
            shared.buffer.put();
        }
    }

    @Explore(schedules = FEW)
    void aDeviceInQuarantineIsUsedAgainAfterAReset(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, false)) {
            shared.buffer.get(); // the importer's
            Ram ram = new Ram(shared, shared.rig.page(0));
            DmaBuf buffer = shared.gpu.export(new ExportInfo("ram", ram, 4096, ram));
            buffer.get();
            Attachment attachment = shared.nvme.attach(buffer, shared.device());
            DmaBufMapping mapping = map(attachment);
            long address = mapping.table().address(0);
            assertThat(shared.importer.writeStatus(address, ITS, 64)).isEqualTo(DmaResult.OK);
            long rings = shared.rig.page(0); // of its driver, which nobody takes away
            DmaDevice dma = shared.device().dma();
            long ring = dma.map(rings, 4096, DmaDirection.BIDIRECTIONAL, 0);
            assertThat(shared.importer.read(ring, new byte[1])).isEqualTo(DmaResult.OK);
            shared.gpu.close(); // the importer is static, and late
            assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
            shared.nvme.detach(buffer, attachment);
            buffer.put();
            PcieFunction function = shared.rig.function("nvme0");
            function.enable(true, true); // its driver does not know
            assertThat(shared.importer.read(address, new byte[1])).isNotEqualTo(DmaResult.OK);
            assertThat(shared.importer.read(ring, new byte[1])).isNotEqualTo(DmaResult.OK);
            var heap = new OwnerDmaBufs("heap", shared.core);
            DmaBuf other = heap.export(new ExportInfo("ram", ram, 4096, ram));
            expect(Errno.ENODEV, "quarantine", () -> shared.nvme.attach(other, shared.device()));
            Registers.reset(function);
            function.enable(true, true);
            assertThat(shared.core.quarantined()).isEmpty();
            assertThat(shared.importer.read(ring, new byte[1])).isEqualTo(DmaResult.OK);
            dma.unmap(ring, 4096);
            Attachment again = shared.nvme.attach(other, shared.device());
            DmaBufMapping anew = map(again);
            long fresh = anew.table().address(0);
            shared.importer.write(fresh, ITS, 64);
            assertThat(shared.importer.read(fresh, new byte[1])).isEqualTo(DmaResult.OK);
            assertThat(shared.rig.at(ram.page())).isEqualTo((byte) ITS);
            SharedVram.unmap(anew);
            shared.nvme.detach(other, again);
            heap.put(other);
            shared.buffer.put();
        }
    }

    @Explore(schedules = FEW)
    void somebodyMayLiftAQuarantineAndIsToldWhatThereIs(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, false)) {
            shared.buffer.get(); // the importer's
            Attachment attachment = shared.attach(null);
            map(attachment);
            expect(Errno.ENOENT, "there are: []", () -> shared.core.liftQuarantine("nvme0"));
            shared.gpu.close();
            expect(Errno.ENOENT, "[nvme0]", () -> shared.core.liftQuarantine("gpu0"));
            shared.core.liftQuarantine("nvme0");
            assertThat(shared.core.quarantined()).isEmpty();
            assertThat(shared.rig.iommu().domainOf(shared.rig.function("nvme0").address(), -1))
                    .isNotEqualTo(Optional.of(shared.rig.iommu().blocked()));
            shared.nvme.detach(shared.buffer, attachment);
            shared.buffer.put();
        }
    }

    @Explore(schedules = 1_000)
    @Rule("RK-3")
    void whoStopsInTimeKeepsItsDevice(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            shared.buffer.get(); // the importer's
            DmaBufMapping[] its = new DmaBufMapping[1];
            Fence work = shared.fence(shared.nvme, FenceUsage.BOOKKEEP);
            Attachment attachment = shared.attach(_ -> {});
            its[0] = map(attachment);
            EmulatedThread engine =
                    shared.importer.engine(() -> {
                        shared.importer.write(its[0].table().address(0), ITS, 64);
                        shared.flush();
                        SharedVram.end(work);
                        SharedVram.unmap(its[0]);
                    });
            shared.gpu.close();
            Rig.join(engine);
            assertThat(shared.core.quarantined()).isEmpty();
            assertThat(isMaster(shared.rig.function("nvme0"))).isTrue();
            assertThat(shared.broken()).isEmpty();
            shared.nvme.detach(shared.buffer, attachment);
            shared.buffer.put();
        }
    }

    @Explore(schedules = 1_000)
    @Rule("CK-6")
    void theDeviceOfAStaticImporterThatLeavesMappedIsStopped(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, false)) {
            Ram ram = new Ram(shared, shared.rig.page(0));
            DmaBuf buffer = shared.gpu.export(new ExportInfo("ram", ram, 4096, ram));
            DmaBufMapping mapping = map(shared.nvme.attach(buffer, shared.device()));
            EmulatedThread engine = runaway(shared, mapping.table().address(0));
            shared.nvme.close();
            shared.rig.fill(ram.page(), OURS);
            Rig.join(engine);
            assertThat(shared.rig.at(ram.page())).isEqualTo((byte) OURS);
            assertThat(shared.core.quarantined()).hasSize(1);
            assertThat(shared.broken()).contains("CK-6", "RK-4");
            shared.gpu.put(buffer);
            shared.gpu.put(shared.buffer);
        }
    }

    // The device goes.

    @Explore(schedules = 500)
    @Rule("CK-6")
    void whatTheDriverOfAPulledDeviceDoesNotGiveBackIsTakenBack(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            Fence work = shared.fence(shared.nvme, FenceUsage.BOOKKEEP);
            shared.rig.root.pull("nvme0");
            shared.rig.settle();
            expect(Errno.ENODEV, "its device has gone", () -> map(attachment));
            assertThat(mapping.state()).isEqualTo(MappingState.VALID); // its driver has time
            await(shared, () -> mapping.state() == MappingState.UNMAPPED);
            await(shared, () -> !shared.core.departures().isEmpty());
            assertThat(work.status()).isEqualTo(-Errno.ENODEV.number());
            assertThat(shared.broken()).containsExactly("CK-6");
            assertThat(shared.core.quarantined()).isEmpty();
            assertThat(shared.core.departures().getLast().who()).isEqualTo("nvme0");
            assertThat(shared.core.buffer(shared.buffer.id()).attachments()).isEmpty();
            shared.gpu.put(shared.buffer);
        }
    }

    @Explore(schedules = 500)
    void aDriverThatCleansUpAfterItsDeviceIsNotReported(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            shared.rig.root.pull("nvme0");
            shared.rig.settle();
            shared.finish(attachment, mapping);
            sleep(shared, 2 * LIMIT);
            assertThat(shared.broken()).isEmpty();
            assertThat(shared.core.departures()).isEmpty();
        }
    }

    @Explore(schedules = 10_000)
    @Rule("CK-6")
    void aDeviceIsPulledWhileItsDriverLeaves(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = map(attachment);
            Fence never = shared.fence(shared.nvme, FenceUsage.BOOKKEEP);
            EmulatedThread hand =
                    shared.rig.thread(
                            "hand",
                            () -> {
                                sleep(shared, LIMIT); // about when the device is cut off
                                shared.rig.root.pull("nvme0");
                            });
            shared.nvme.close();
            assertThat(never.status()).isEqualTo(-Errno.ENODEV.number());
            Rig.join(hand);
            shared.rig.settle();
            assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
            sleep(shared, 2 * LIMIT);
            assertThat(shared.core.quarantined()).isEmpty();
            assertThat(shared.core.buffer(shared.buffer.id()).attachments()).isEmpty();
            assertThat(shared.broken()).startsWith("CK-6");
            shared.gpu.put(shared.buffer);
        }
    }
}
