package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exporter.gpu.GpuSettings;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.testkit.dmabuf.MockImporter;
import org.peerlane.testkit.dmabuf.MockImporter.Kind;

@DisplayName("Resets of a GPU against who uses it")
class GpuResetRaceTest {
    private static final int TIMES = 4;
    private static final int ITS = 0xEE;
    private static final int OURS = 0x5A5A_5A5A;

    private static GpuAllocation ram(long bytes) {
        return new GpuAllocation(bytes, EnumSet.of(Placement.GTT), false);
    }

    /** A peer stops when it is told, gives its mapping back, and maps anew as soon as it may. */
    @Explore(schedules = 10_000)
    @Rule("RK-5")
    @Rule("DY-13")
    void whatAPeerWroteBeforeAResetIsGoneAfterItAndItMapsAnew(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Card peer = machine.plugPeer(1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            GpuRig.idle(buffer);
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            long elsewhere = GpuRig.elsewhere(gpu);
            NamedLock gate = execution.lock("test.gate");
            boolean[] stopped = new boolean[1];
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
                                        peer.read(elsewhere, new byte[1]);
                                    }),
                            null);
            DmaBufMapping mapping = attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL);
            EmulatedThread engine =
                    peer.engine(() -> {
                        for (int i = 0; i < TIMES; i++) {
                            gate.lock();
                            try {
                                if (stopped[0]) {
                                    break;
                                }
                                peer.write(mapping.table().address(0), ITS, 64);
                            } finally {
                                gate.unlock();
                            }
                        }
                        peer.read(elsewhere, new byte[1]);
                        attachment.unmapUnlocked(mapping, DmaDirection.BIDIRECTIONAL);
                        GpuRig.unless(
                                List.of(Errno.ENODEV),
                                () ->
                                        attachment.unmapUnlocked(
                                                attachment.mapUnlocked(DmaDirection.BIDIRECTIONAL),
                                                DmaDirection.BIDIRECTIONAL));
                    });
            gpu.reset();
            Rig.join(engine);
            peer.read(elsewhere, new byte[1]);
            boolean before = stopped[0];
            assertThat(before).isTrue();
            assertThat(machine.word(buffer, 0)).isZero();
            assertThat(shared.revokeState()).isEqualTo(RevokeState.OK);
            assertThat(buffer.losses()).isEqualTo(1);
            machine.nvme.detach(shared, attachment);
            shared.put();
            buffer.close();
        }
    }

    /** A process cannot reach the card's memory while the card is reset. */
    @Explore(schedules = 10_000)
    @Rule("DY-13")
    void noStoreIsDoneWhileTheCardIsReset(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            CpuMapping mapping = machine.map(buffer);
            boolean[] quiet = new boolean[1];
            NamedLock lock = execution.lock("test.quiet");
            Armed armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "gpu.reset.before-hardware",
                                    () -> {
                                        lock.lock();
                                        quiet[0] = true;
                                        lock.unlock();
                                    });
            int[] refused = new int[1];
            machine.thread(
                    "cpu",
                    () -> {
                        for (int i = 0; i < TIMES; i++) {
                            lock.lock();
                            boolean off = quiet[0] && gpu.resets() == 0;
                            lock.unlock();
                            boolean done = machine.store(mapping, 0, i + 1);
                            refused[0] += done ? 0 : 1;
                            assertThat(off && done && gpu.resets() == 0)
                                    .as("a store while the card is reset")
                                    .isFalse();
                        }
                    });
            gpu.reset();
            machine.join();
            armed.close();
            assertThat(machine.store(mapping, 0, 7)).isTrue();
            machine.unmap(mapping);
            buffer.close();
        }
    }

    /** Work that was given up does nothing afterwards; work after it is done. */
    @Explore(schedules = 10_000)
    @Rule("CK-31")
    void workThatAResetHasGivenUpTouchesNothingAfterwards(Execution execution) {
        try (GpuRig machine = new GpuRig(execution, GpuSettings.DEFAULT)) {
            Gpu gpu = machine.plug("gpu0", 0);
            GpuBuffer one = gpu.allocate(ram(GpuRig.PAGE));
            GpuBuffer two = gpu.allocate(ram(GpuRig.PAGE));
            CpuMapping mapping = machine.map(one);
            AtomicInteger jobs = new AtomicInteger();
            Armed armed = // its thread sleeps all through the reset
                    execution
                            .checkpoints()
                            .arm(
                                    "gpu.job.before-written",
                                    () -> {
                                        if (jobs.getAndIncrement() == 0) {
                                            GpuRig.sleep(execution, Rig.SECOND / 2);
                                        }
                                    });
            machine.thread(
                    "user",
                    () -> {
                        Errno error = submit(one);
                        assertThat(error).isIn(null, Errno.ECANCELED);
                        assertThat(machine.store(mapping, 0, OURS)).isTrue();
                    });
            gpu.reset();
            GpuRig.done(two.fill(0, GpuRig.PAGE, 7));
            machine.join();
            GpuRig.done(two.fill(0, GpuRig.PAGE, 8));
            assertThat(machine.process.load(mapping.first(), 4)).isEqualTo(OURS);
            assertThat(machine.word(two, 0)).isEqualTo(8);
            armed.close();
            machine.unmap(mapping);
            one.close();
            two.close();
        }
    }

    private static @Nullable Errno submit(GpuBuffer buffer) {
        try {
            return GpuRig.end(buffer.fill(0, GpuRig.PAGE, ITS));
        } catch (ErrnoException e) {
            return e.errno();
        }
    }

    /** A move that is given up has lost what it moved, wherever that is now. */
    @Explore(schedules = 10_000)
    @Rule("RK-5")
    void whatAResetLosesOnTheWayIsKnownToBeLost(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            GpuRig.done(buffer.fill(0, GpuRig.PAGE, OURS));
            machine.thread(
                    "moves",
                    () ->
                            GpuRig.unless(
                                    List.of(Errno.ECANCELED), () -> buffer.move(Placement.GTT)));
            gpu.reset();
            machine.join();
            GpuRig.idle(buffer);
            if (buffer.losses() == 0) {
                assertThat(machine.word(buffer, GpuRig.PAGE - 4)).isEqualTo(OURS);
            }
            assertThat(buffer.losses()).isLessThanOrEqualTo(1);
            buffer.close();
        }
    }

    /** The peer goes on at the old place, which the reset must not take from it meanwhile. */
    @Explore(schedules = 10_000)
    @Rule("DY-13")
    @Rule("CK-29")
    void theWorkOfAPeerOnWhatMovesIsWaitedForByAReset(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            GpuBuffer seen = peer.allocate(ram(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            machine.thread(
                    "peer",
                    () ->
                            GpuRig.unless(
                                    List.of(Errno.ENODEV), // as long as the card is reset
                                    () -> {
                                        try (GpuBuffer imported = peer.importBuffer(shared)) {
                                            GpuRig.done(imported.copyTo(0, seen, 0, GpuRig.PAGE));
                                        }
                                    }));
            machine.thread(
                    "moves",
                    () ->
                            GpuRig.unless(
                                    List.of(Errno.ECANCELED), () -> buffer.move(Placement.GTT)));
            gpu.reset();
            machine.join();
            shared.put();
            seen.close();
            buffer.close();
        }
    }

    /** The silicon does not go on with a copy, until long after the job's time is over. */
    @Explore(schedules = 10_000)
    @Rule("CK-31")
    @Rule("FE-40")
    void aJobThatHangsFailsInTimeAndTheCardGoesOn(Execution execution) {
        try (GpuRig machine = new GpuRig(execution, new GpuSettings(0, 5, true))) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer one = gpu.allocate(ram(GpuRig.PAGE));
            GpuBuffer two = gpu.allocate(ram(GpuRig.PAGE));
            DmaBuf shared = two.export(ExportInfo.O_RDWR);
            GpuBuffer imported = peer.importBuffer(shared);
            AtomicInteger hangs = new AtomicInteger();
            Armed armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "gpu.copy.before-copy",
                                    () -> {
                                        if (hangs.getAndIncrement() == 0) {
                                            GpuRig.sleep(execution, 6_000_000);
                                        }
                                    });
            long begun = execution.nanoTime();
            Fence hung = one.copyTo(0, two, 0, GpuRig.PAGE);
            Fence behind = imported.fill(0, GpuRig.PAGE, 7); // of another card
            assertThat(GpuRig.end(hung)).isEqualTo(Errno.ECANCELED);
            assertThat(execution.nanoTime() - begun).isLessThan(Rig.SECOND);
            GpuRig.done(behind);
            armed.close();
            while (GpuRig.unless(List.of(Errno.ECANCELED), () -> one.fill(0, 4, 1).put())
                    == false) {
                GpuRig.sleep(execution, 1_000_000);
            }
            GpuRig.done(one.copyTo(0, two, 0, 4));
            assertThat(machine.word(two, 0)).isEqualTo(1);
            assertThat(machine.word(two, 4)).isEqualTo(7);
            imported.close();
            shared.put();
            one.close();
            two.close();
        }
    }

    /** A peer has it pinned in VRAM, and cannot be told to stop. */
    @Explore(schedules = 100)
    @Rule("CK-31")
    @Rule("FE-40")
    void workEndsEvenIfTheCardCannotBeReset(Execution execution) {
        try (GpuRig machine = new GpuRig(execution, new GpuSettings(0, 5, true))) {
            Gpu gpu = machine.plug("gpu0", 0);
            machine.plugPeer(1);
            GpuBuffer one = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            GpuBuffer two = gpu.allocate(ram(GpuRig.PAGE));
            DmaBuf shared = one.export(ExportInfo.O_RDWR);
            MockImporter peer =
                    new MockImporter(machine.nvme, execution, machine.peer(), Kind.PINNED);
            peer.attach(shared);
            Armed armed =
                    execution
                            .checkpoints()
                            .arm(
                                    "gpu.fill.before-copy",
                                    () -> GpuRig.sleep(execution, 16_000_000)); // three limits
            assertThat(GpuRig.end(two.fill(0, GpuRig.PAGE, 7))).isEqualTo(Errno.ECANCELED);
            armed.close();
            peer.detach();
            gpu.reset();
            GpuRig.done(two.fill(0, GpuRig.PAGE, 7));
            shared.put();
            one.close();
            two.close();
        }
    }
}
