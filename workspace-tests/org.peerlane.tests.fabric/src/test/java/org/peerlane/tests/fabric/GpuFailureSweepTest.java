package org.peerlane.tests.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.ExportInfo;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.exporter.gpu.GpuSettings;
import org.peerlane.gpu.api.Gpu;
import org.peerlane.gpu.api.GpuAllocation;
import org.peerlane.gpu.api.GpuBuffer;
import org.peerlane.gpu.api.Placement;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

/**
 * Of a long row of operations of a GPU's driver the first allocation of memory fails, then the
 * second, and so on: after each row nothing is left, and the same cards work.
 */
@DisplayName("The n-th failure of a GPU's driver")
class GpuFailureSweepTest {
    private static final int MOST = 300;
    private static final List<Errno> SHORT = List.of(Errno.ENOMEM, Errno.EBUSY, Errno.ENODEV);

    /** Where buffers, and the table of the IOMMU, can be short of memory. */
    private static final List<String> PLACES =
            List.of(
                    "dmabuf.resv.reserve",
                    "dmabuf.map.entered",
                    "dmabuf.map.after-map",
                    "dmabuf.attach.asked",
                    "iommu.table.before-leaves");

    private final LiveExecution execution = new LiveExecution("sweep");
    private final GpuRig machine = new GpuRig(execution, GpuSettings.DEFAULT);
    private final Gpu gpu =
            machine.plug("gpu0", 0, Map.of("vramMiB", 2, "visibleMiB", 1, "resizableBar", false));
    private final Gpu peer = machine.plug("gpu1", 1);
    private final long[] before = {used(gpu), used(peer)};

    @AfterEach
    void stop() {
        machine.close();
        execution.close();
    }

    private static long used(Gpu gpu) {
        return gpu.memory().stream().mapToLong(one -> one.used()).sum();
    }

    /** Every kind of operation once; each may fail, and the others go on. */
    private void row() {
        try (GpuBuffer near = gpu.allocate(GpuAllocation.of(5 * GpuRig.PAGE));
                GpuBuffer far =
                        gpu.allocate(
                                new GpuAllocation(
                                        2 * GpuRig.PAGE,
                                        EnumSet.of(Placement.VRAM, Placement.GTT),
                                        false));
                GpuBuffer ram =
                        peer.allocate(
                                new GpuAllocation(
                                        3 * GpuRig.PAGE, EnumSet.of(Placement.GTT), true))) {
            may(() -> GpuRig.done(near.fill(0, near.size(), 7)));
            may(() -> GpuRig.done(near.copyTo(0, far, 0, far.size())));
            may(() -> near.move(Placement.GTT));
            may(() -> near.move(Placement.SYSTEM));
            may(() -> near.move(Placement.VRAM));
            may(gpu::evict);
            may(() -> GpuRig.done(near.fill(0, 4, 8)));
            may(() -> shared(far, ram));
            may(() -> machine.bytes(far, 0, 8));
            may(gpu::reset);
            may(() -> GpuRig.done(far.fill(0, 4, 9)));
        }
    }

    private void shared(GpuBuffer buffer, GpuBuffer own) {
        DmaBuf made = buffer.export(ExportInfo.O_RDWR);
        try (GpuBuffer imported = peer.importBuffer(made)) {
            may(() -> GpuRig.done(own.copyTo(0, imported, 0, imported.size())));
            may(() -> buffer.move(Placement.GTT));
            may(() -> GpuRig.done(imported.copyTo(0, own, 0, imported.size())));
        } finally {
            made.put();
        }
    }

    private static void may(Runnable action) {
        GpuRig.unless(SHORT, action);
    }

    private void rowThatMayFail() {
        may(this::row);
    }

    private void nothingIsLeft(String after) {
        machine.settle(gpu, peer);
        assertThat(machine.core.buffers()).as(after).isEmpty();
        assertThat(gpu.buffers()).as(after).isEmpty();
        assertThat(peer.buffers()).as(after).isEmpty();
        assertThat(new long[] {used(gpu), used(peer)}).as(after).isEqualTo(before);
        assertThat(machine.broken()).as(after).isEmpty();
    }

    private void works() {
        try (GpuBuffer one = gpu.allocate(GpuAllocation.of(GpuRig.PAGE))) {
            GpuRig.done(one.fill(0, GpuRig.PAGE, 0x1234));
            one.move(Placement.GTT);
            assertThat(machine.word(one, GpuRig.PAGE - 4)).isEqualTo(0x1234);
        }
    }

    @Test
    @Rule("CK-6")
    @Rule("CK-7")
    void ofMemoryLeavesNothing() {
        row();
        nothingIsLeft("without a failure");
        long free = machine.rig.memory.pages().freePages();
        int n = 0;
        boolean failed = true;
        while (failed) {
            n++;
            machine.rig.memory.pages().failNth(n);
            rowThatMayFail();
            nothingIsLeft("after failure " + n);
            failed = !isPending();
            works();
            nothingIsLeft("after it worked again");
            assertThat(machine.rig.memory.pages().freePages()).as("pages").isEqualTo(free);
        }
        assertThat(n).as("allocations that could fail").isBetween(8, MOST);
    }

    /** {@return whether the failure has not come yet; it does now} */
    private boolean isPending() {
        try {
            for (int i = 0; i < MOST; i++) {
                machine.rig.memory.pages().free(machine.rig.memory.pages().allocate(0), 0);
            }
            return false;
        } catch (ErrnoException e) {
            return true;
        }
    }

    @Test
    @Rule("CK-6")
    @Rule("DY-40")
    void ofWhatBuffersNeedLeavesNothing() {
        for (String place : PLACES) {
            int n = 0;
            int[] times = new int[1];
            do {
                n++;
                int which = n;
                times[0] = 0;
                try (Armed _ =
                        execution
                                .checkpoints()
                                .arm(
                                        place,
                                        () -> {
                                            if (++times[0] == which) {
                                                throw new ErrnoException(Errno.ENOMEM, "injected");
                                            }
                                        })) {
                    rowThatMayFail();
                }
                nothingIsLeft("after failure %d of %s".formatted(n, place));
                works();
                nothingIsLeft("after it worked again");
            } while (times[0] >= n && n < MOST);
            assertThat(n).as("failures of " + place).isBetween(2, MOST - 1);
        }
    }

    /** A driver that cannot begin takes nothing with it. */
    @Test
    @Rule("CK-6")
    void ofAProbeLeavesNothing() {
        var function = peer.function();
        machine.rig.root.unbindDriver(function);
        long free = machine.rig.memory.pages().freePages();
        int n = 0;
        boolean driven = false;
        while (!driven && n < MOST) {
            n++;
            machine.rig.memory.pages().failNth(n);
            try {
                machine.rig.root.bindDriver(function);
            } catch (ErrnoException e) {
                assertThat(e.errno()).isIn(Errno.ENOMEM, Errno.ENODEV);
            }
            machine.rig.memory.pages().failNth(0);
            driven = machine.driver.gpus().size() == 2;
            if (!driven) {
                assertThat(machine.rig.memory.pages().freePages())
                        .as("after failure %d", n)
                        .isEqualTo(free);
            }
        }
        assertThat(n).as("allocations of a probe").isBetween(2, MOST - 1);
        try (GpuBuffer one = machine.driver.gpu("gpu1").allocate(GpuAllocation.of(GpuRig.PAGE))) {
            GpuRig.done(one.fill(0, GpuRig.PAGE, 1));
        }
    }
}
