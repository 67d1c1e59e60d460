package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("The end of a GPU's buffers, and of its driver")
class GpuEndRaceTest {
    private static final long MEANWHILE = 50_000;
    private static final int OURS = 0x5A;
    private static final List<Errno> ENDED = List.of(Errno.EBADF, Errno.ENODEV);

    /** EINVAL: the way to the card has gone while the buffer was mapped. */
    private static final List<Errno> LEAVES =
            List.of(Errno.EBADF, Errno.ENODEV, Errno.ECANCELED, Errno.ENOMEM, Errno.EINVAL);

    private static long used(Gpu gpu) {
        return gpu.memory().stream().mapToLong(one -> one.used()).sum();
    }

    @Explore(schedules = 10_000)
    @Rule("GX-2")
    @Rule("GX-5")
    void memoryComesBackOnceWhoeverLetsGoLast(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            long before = used(gpu);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            machine.thread("put", shared::put);
            machine.thread(
                    "export",
                    () ->
                            GpuRig.unless(
                                    ENDED,
                                    () -> {
                                        DmaBuf again = buffer.export(ExportInfo.O_RDWR);
                                        try (GpuBuffer own = gpu.importBuffer(again)) {
                                            assertThat(own).isSameAs(buffer);
                                            assertThat(gpu.buffers()).contains(own);
                                        }
                                        again.put();
                                    }));
            machine.thread("evict", gpu::evict);
            machine.thread(
                    "map", () -> GpuRig.unless(ENDED, () -> machine.unmap(machine.map(buffer))));
            GpuRig.unless(ENDED, () -> buffer.fill(0, GpuRig.PAGE, 1).put());
            buffer.close();
            machine.join();
            assertThat(gpu.buffers()).isEmpty();
            machine.leave();
            assertThat(used(gpu)).isEqualTo(before);
        }
    }

    /** What is under way ends with an error, or has been done. */
    @Explore(schedules = 10_000)
    @Rule("CK-31")
    @Rule("RK-14")
    void theDriverLeavesAmongWorkImportsMovesAndResets(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            machine.thread(
                    "work",
                    () ->
                            GpuRig.unless(
                                    LEAVES,
                                    () -> {
                                        Fence work = buffer.fill(0, GpuRig.PAGE, 1);
                                        assertThat(GpuRig.end(work))
                                                .isIn(null, Errno.ENODEV, Errno.ECANCELED);
                                    }));
            machine.thread(
                    "peer",
                    () ->
                            GpuRig.unless(
                                    LEAVES,
                                    () -> {
                                        try (GpuBuffer imported = peer.importBuffer(shared)) {
                                            imported.fill(0, GpuRig.PAGE, 2).put();
                                        }
                                    }));
            machine.thread("moves", () -> GpuRig.unless(LEAVES, () -> buffer.move(Placement.GTT)));
            machine.thread("resets", () -> GpuRig.unless(LEAVES, gpu::reset));
            machine.leave();
            machine.join();
            shared.put();
            buffer.close();
        }
    }

    /** Its callback comes while it takes back what it has mapped. */
    @Explore(schedules = 10_000)
    @Rule("DY-7")
    @Rule("CK-10")
    void anImporterLeavesWhileItsBufferMoves(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            GpuBuffer imported = peer.importBuffer(shared);
            GpuRig.done(imported.fill(0, GpuRig.PAGE, 7));
            Doorbell leaving = new Doorbell(execution, "test.leaving");
            machine.thread(
                    "moves",
                    () -> {
                        GpuRig.await(leaving);
                        for (Placement to : List.of(Placement.GTT, Placement.VRAM)) {
                            GpuRig.sleep(execution, MEANWHILE);
                            buffer.move(to);
                        }
                    });
            leaving.ring();
            machine.rig.root.unbindDriver(peer.function());
            machine.join();
            GpuRig.idle(buffer);
            assertThat(machine.word(buffer, 0)).isEqualTo(7);
            shared.put();
            buffer.close();
        }
    }

    /** By surprise. */
    @Explore(schedules = 10_000)
    @Rule("CK-31")
    void aCardIsPulledOutWhileItAndItsPeerWork(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            Gpu peer = machine.plug("gpu1", 1);
            GpuBuffer buffer = gpu.allocate(GpuAllocation.of(GpuRig.PAGE));
            GpuBuffer far = peer.allocate(GpuAllocation.of(GpuRig.PAGE));
            DmaBuf shared = buffer.export(ExportInfo.O_RDWR);
            machine.thread(
                    "work",
                    () -> GpuRig.unless(LEAVES, () -> GpuRig.end(buffer.fill(0, GpuRig.PAGE, 1))));
            machine.thread(
                    "peer",
                    () ->
                            GpuRig.unless(
                                    LEAVES,
                                    () -> {
                                        try (GpuBuffer imported = peer.importBuffer(shared)) {
                                            Fence work = imported.copyTo(0, far, 0, GpuRig.PAGE);
                                            assertThat(GpuRig.end(work)).isIn(null, Errno.EIO);
                                        }
                                    }));
            machine.rig.root.pull("gpu0");
            GpuRig.done(far.fill(0, GpuRig.PAGE, 3)); // the other one goes on
            machine.join();
            GpuRig.done(far.fill(0, GpuRig.PAGE, 4));
            assertThat(machine.word(far, 0)).isEqualTo(4);
            machine.rig.settle();
            shared.put();
            buffer.close();
            far.close();
        }
    }

    @Explore(schedules = 10_000)
    @Rule("RK-3")
    void onceTheDriverHasLeftNoStoreReachesWhatItHasFreed(Execution execution) {
        try (GpuRig machine = new GpuRig(execution)) {
            Gpu gpu = machine.plug("gpu0", 0);
            GpuBuffer buffer =
                    gpu.allocate(new GpuAllocation(GpuRig.PAGE, EnumSet.of(Placement.GTT), false));
            CpuMapping mapping = machine.map(buffer);
            assertThat(machine.store(mapping, 0, 1)).isTrue();
            long page = machine.process.entry(mapping.first()) & 0x000f_ffff_ffff_f000L;
            EmulatedThread cpu =
                    machine.rig.thread(
                            "cpu",
                            () -> {
                                while (machine.store(mapping, 0, -1)) {}
                            });
            machine.thread(
                    "next",
                    () -> {
                        long next = take(machine, page, cpu);
                        machine.rig.fill(next, OURS);
                        Rig.join(cpu);
                        machine.rig.expect(next, OURS, "a store after the memory was freed");
                        machine.rig.memory.pages().free(next, 0);
                    });
            machine.leave();
            machine.join();
            machine.unmap(mapping);
            buffer.close();
        }
    }

    /** {@return a page as soon as it is free, or another one once a thread has ended} */
    private static long take(GpuRig machine, long page, EmulatedThread until) {
        while (true) {
            long taken = machine.rig.memory.pages().allocate(0);
            if (taken == page || !until.isAlive()) {
                return taken;
            }
            machine.rig.memory.pages().free(taken, 0);
            GpuRig.sleep(machine.execution, 0);
        }
    }
}
