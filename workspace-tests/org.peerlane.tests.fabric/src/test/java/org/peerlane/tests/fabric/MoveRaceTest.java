package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.tests.fabric.SharedVram.ITS;
import static org.peerlane.tests.fabric.SharedVram.OURS;

import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Move against posted peer writes")
class MoveRaceTest {
    private static final int WRITES = 3;

    @Explore(schedules = 10_000)
    @Rule("CK-1")
    @Rule("DY-12")
    void aWriteIsReportedExactlyIfItArrivedLate(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> {}); // drains nothing
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            boolean[] inTime = new boolean[1];
            Armed armed = // at the very moment from which on nothing may be written
                    execution
                            .checkpoints()
                            .arm(
                                    "dmabuf.invalidate.done",
                                    () -> inTime[0] = shared.first() == (byte) ITS);
            shared.importer.write(mapping.table().address(0), ITS, 64); // posted, and on its way
            shared.move();
            armed.close();
            shared.flush();
            if (inTime[0]) {
                assertThat(shared.broken()).isEmpty();
                assertThat(shared.first()).isEqualTo((byte) OURS);
            } else {
                assertThat(shared.broken()).containsExactly("CK-1");
            }
            shared.finish(attachment, mapping);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("CK-1")
    void whoDrainsInTheCallbackIsNeverReportedAndCorruptsNothing(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            NamedLock gate = execution.lock("test.gate");
            boolean[] stopped = new boolean[1];
            Attachment attachment =
                    shared.attach(_ -> {
                        gate.lock();
                        stopped[0] = true;
                        gate.unlock();
                        shared.flush();
                    });
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            long address = mapping.table().address(0);
            EmulatedThread engine =
                    shared.importer.engine(() -> {
                        for (int i = 0; i < WRITES; i++) {
                            gate.lock();
                            try {
                                if (stopped[0]) {
                                    return;
                                }
                                shared.importer.write(address, ITS, 64);
                            } finally {
                                gate.unlock();
                            }
                        }
                    });
            shared.move();
            Rig.join(engine);
            shared.flush();
            assertThat(shared.broken()).isEmpty();
            assertThat(shared.first()).isEqualTo((byte) OURS);
            shared.finish(attachment, mapping);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("RK-3")
    @Rule("CK-3")
    void aRevokeReturnsAfterTheLastByteOfWhatWasInFlight(Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Fence work = shared.fence(shared.nvme, FenceUsage.BOOKKEEP);
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            EmulatedThread engine =
                    shared.importer.engine(() -> {
                        for (int i = 0; i < WRITES; i++) {
                            shared.importer.write(mapping.table().address(0), ITS, 64);
                        }
                        shared.flush();
                        SharedVram.end(work);
                        SharedVram.unmap(mapping);
                    });
            shared.gpu.revoke(shared.buffer, false);
            shared.exporter.vram.fill((byte) OURS); // as a reset may do
            Rig.join(engine);
            shared.flush();
            assertThat(shared.first()).isEqualTo((byte) OURS);
            assertThat(shared.broken()).isEmpty();
            shared.gpu.unrevoke(shared.buffer);
            shared.finish(attachment);
        }
    }

    @Explore(schedules = 10_000)
    @Rule("CK-2")
    void aWriteThatOutlivesItsMappingIsReportedExactlyIfItArrivedAfterTheUnmap(
            Execution execution) {
        try (SharedVram shared = new SharedVram(execution, true)) {
            Attachment attachment = shared.attach(_ -> {});
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            long address = mapping.table().address(0);
            EmulatedThread engine =
                    shared.importer.engine(() -> shared.importer.write(address, ITS, 64));
            boolean[] inTime = new boolean[1];
            Armed armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "dmabuf.unmap.entered",
                                    () -> inTime[0] = shared.first() == (byte) ITS);
            SharedVram.unmap(mapping);
            armed.close();
            boolean before = shared.first() == (byte) ITS;
            Rig.join(engine);
            shared.flush();
            if (inTime[0]) {
                assertThat(shared.broken()).isEmpty();
            } else if (!before) {
                assertThat(shared.broken()).containsExactly("CK-2");
            }
            shared.finish(attachment);
        }
    }
}
