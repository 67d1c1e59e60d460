package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Moves of a GPU's buffers against who uses them")
class GpuMoveRaceTest {
    private static final int TIMES = 4;
    private static final long MEANWHILE = 100_000;
    private static final int ITS = 0xEE;
    private static final int OURS = 0x5A5A_5A5A;

    /** Into the BAR, into RAM, and while the engine copies between the two. */
    @Explore(schedules = 10_000)
    @Rule("GX-3")
    @Rule("GX-4")
    void noStoreOfAProcessIsLostInAMove(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            CpuMapping mapping = machine.map(buffer);
            machine.store(mapping, 0, -1);
            Doorbell moving = new Doorbell(execution, "test.moving");
            Armed armed = execution.checkpoints().arm("gpu.move.after-invalidated", moving::ring);
            machine.thread(
                    "cpu",
                    () -> {
                        GpuRig.await(moving);
                        for (int i = 0; i < TIMES; i++) {
                            assertThat(machine.store(mapping, 4L * i, i + 1)).isTrue();
                            GpuRig.sleep(execution, MEANWHILE);
                        }
                    });
            buffer.move(Placement.GTT);
            buffer.move(Placement.VRAM);
            armed.close();
            machine.join();
            for (int i = 0; i < TIMES; i++) {
                assertThat(machine.process.load(mapping.first() + 4L * i, 4)).isEqualTo(i + 1);
            }
            machine.unmap(mapping);
            buffer.close();
        }
    }

    /** The importer's device has no fences: it stops, and waits, when it is told. */
    @Explore(schedules = 10_000)
    @Rule("GX-10")
    @Rule("DY-12")
    void aPeerThatStopsWhenItIsToldLosesNothingInAnEviction(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Card peer = machine.plugPeer(1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.HALF));
            GpuRig.idle(buffer);
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            long elsewhere = GpuRig.elsewhere(gpu);
            NamedLock gate = execution.lock("test.gate");
            boolean[] stopped = new boolean[1];
            int[] written = new int[1];
            Attachment attachment =
                    machine.nvme.dynamicAttach(
                            shared,
                            machine.peer(),
                            new AttachOperations(
                                    true,
                                    _ -> {
                                        gate.lock();
                                        stopped[0] = true;
                                        gate.unlock();
                                        peer.read(elsewhere, new byte[1]); // what it has posted
                                    }),
                            null);
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            EmulatedThread engine =
                    peer.engine(() -> {
                        for (int i = 0; i < TIMES; i++) {
                            gate.lock();
                            try {
                                if (stopped[0]) {
                                    return;
                                }
                                peer.write(mapping.table().address(0) + 64L * i, ITS, 64);
                                written[0]++;
                            } finally {
                                gate.unlock();
                            }
                        }
                    });
            GpuBuffer other = gpu.allocate(GpuAllocation.of(GpuRig.HALF));
            assertThat(buffer.placement()).isEqualTo(Placement.GTT);
            GpuRig.done(other.fill(0, GpuRig.PAGE, OURS));
            Rig.join(engine);
            peer.read(elsewhere, new byte[1]);
            for (int i = 0; i < TIMES; i++) {
                assertThat(machine.word(buffer, 64L * i + 60))
                        .isEqualTo(i < written[0] ? 0xEEEE_EEEE : 0);
                assertThat(machine.word(other, 64L * i)).isEqualTo(OURS);
            }
            attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
            machine.nvme.detach(shared, attachment);
            shared.put();
            other.close();
            buffer.close();
        }
    }

    /** The importer is a GPU: its jobs have fences, and it maps anew when it goes on. */
    @Explore(schedules = 10_000)
    @Rule("DY-11")
    @Rule("DY-4")
    @Rule("CK-29")
    void theWorkOfAnotherCardGoesOnWhileItsBufferIsEvictedAndComesBack(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.HALF));
            GpuBuffer seen = peer.allocate(GpuAllocation.of(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            machine.thread(
                    "peer",
                    () -> {
                        try (GpuBuffer imported = peer.importBuffer(shared)) {
                            for (int i = 0; i < TIMES; i++) {
                                imported.fill(64L * i, 64, i + 1).put();
                                imported.copyTo(64L * i, seen, 64L * i, 64).put();
                            }
                        }
                    });
            GpuBuffer other = gpu.allocate(GpuAllocation.of(GpuRig.HALF));
            GpuRig.done(other.fill(0, GpuRig.PAGE, OURS));
            for (int i = 0; i < TIMES; i++) {
                assertThat(machine.word(other, 64L * i)).isEqualTo(OURS);
            }
            other.close();
            GpuRig.unless(List.of(Errno.ENOMEM), () -> buffer.move(Placement.VRAM));
            machine.join();
            GpuRig.idle(buffer);
            for (int i = 0; i < TIMES; i++) {
                assertThat(machine.word(buffer, 64L * i + 60)).isEqualTo(i + 1);
                assertThat(machine.word(seen, 64L * i + 60)).isEqualTo(i + 1);
            }
            shared.put();
            seen.close();
            buffer.close();
        }
    }

    /** As many locks and fences in both directions as there can be. */
    @Explore(schedules = 10_000)
    @Rule("DY-50")
    @Rule("DY-51")
    @Rule("DY-30")
    void twoCardsThatCopyBothWaysWhileBothMoveComeToAnEnd(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu[] gpus = {machine.plug("gpu0", 0), machine.plug("gpu1", 1)};
            GpuBuffer[] own = new GpuBuffer[2];
            DmaBuf[] shared = new DmaBuf[2];
            for (int i = 0; i < 2; i++) {
                own[i] = gpus[i].allocate(GpuAllocation.of(2 * GpuRig.PAGE));
                own[i].fill(0, GpuRig.PAGE, i + 1).put();
                shared[i] = own[i].export(ExportInfo.O_RDWR);
            }
            for (int i = 0; i < 2; i++) {
                int mine = i;
                machine.thread(
                        "copies",
                        () -> {
                            try (GpuBuffer other = gpus[mine].importBuffer(shared[1 - mine])) {
                                own[mine].copyTo(0, other, GpuRig.PAGE, GpuRig.PAGE).put();
                                other.copyTo(0, own[mine], GpuRig.PAGE, GpuRig.PAGE).put();
                            }
                        });
                machine.thread("moves", () -> own[mine].move(Placement.SYSTEM));
            }
            machine.join();
            for (int i = 0; i < 2; i++) {
                GpuRig.idle(own[i]);
                assertThat(machine.word(own[i], GpuRig.PAGE - 4)).isEqualTo(i + 1);
                assertThat(machine.word(own[i], GpuRig.PAGE)).isEqualTo(2 - i);
                shared[i].put();
                own[i].close();
            }
        }
    }

    /** Who is told by a fence that a peer has written finds what it wrote. */
    @Explore(schedules = 10_000)
    @Rule("CK-57")
    void whatAPeerWroteIsThereWhenItsFenceSignals(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            CpuMapping mapping = machine.map(buffer);
            machine.store(mapping, 0, -1);
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            GpuBuffer imported = peer.importBuffer(shared);
            for (int i = 0; i < TIMES; i++) {
                GpuRig.done(imported.fill(0, GpuRig.PAGE, i));
                long last = mapping.first() + GpuRig.PAGE - 4;
                assertThat(machine.process.load(last, 4)).isEqualTo(i);
            }
            imported.close();
            shared.put();
            machine.unmap(mapping);
            buffer.close();
        }
    }
}
