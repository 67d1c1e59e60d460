package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.dmabuf.core.TestMachine.expect;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.dmabuf.api.DmaBuf;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.IoSysMap;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("CPU access and kernel maps")
class CpuTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("cpu"));
    private final TestExporter.Full exporter = new TestExporter.Full();
    private final Buffer buffer = machine.export(exporter);

    @Test
    @Rule("DB-50")
    @Rule("DB-51")
    @Rule("DB-53")
    void theExporterPreparesAndFinishesWithoutTheReservation() {
        buffer.beginCpuAccess(DmaDirection.FROM_DEVICE);
        buffer.endCpuAccess(DmaDirection.FROM_DEVICE);
        assertThat(exporter.calls).containsExactly("begin free", "end free");
        Buffer plain = machine.export(new TestExporter());
        plain.beginCpuAccess(DmaDirection.BIDIRECTIONAL);
        plain.endCpuAccess(DmaDirection.BIDIRECTIONAL);
    }

    /** Who waits for whom: a CPU write for readers too, nobody for BOOKKEEP. */
    @Explore(schedules = 200)
    @Rule("DB-50")
    @Rule("DB-66")
    @Rule("dma-buf:T-7")
    void anAccessWaitsForTheFencesOfItsKind(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        for (DmaDirection direction : DmaDirection.values()) {
            for (FenceUsage usage : FenceUsage.values()) {
                boolean waits =
                        usage == FenceUsage.KERNEL
                                || usage == FenceUsage.WRITE
                                || usage == FenceUsage.READ
                                        && direction != DmaDirection.FROM_DEVICE;
                Buffer shared = its.export(new TestExporter());
                Fence fence = its.fence(shared, usage);
                List<String> order = new ArrayList<>();
                EmulatedThread cpu =
                        its.start(
                                "cpu",
                                () -> {
                                    shared.beginCpuAccess(direction);
                                    order.add("begun");
                                });
                execution.sleep(1_000_000);
                order.add("signal");
                fence.signal();
                TestMachine.join(cpu);
                assertThat(order.getFirst())
                        .as("%s with a %s fence", direction, usage)
                        .isEqualTo(waits ? "signal" : "begun");
            }
        }
    }

    @Explore(schedules = 200)
    @Rule("DB-50")
    @Rule("DB-52")
    void anInterruptEndsTheWait(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        its.fence(shared, FenceUsage.WRITE);
        EmulatedThread kernel =
                its.start(
                        "kernel",
                        () ->
                                expect(
                                        Errno.ERESTARTSYS,
                                        () -> shared.beginCpuAccess(DmaDirection.FROM_DEVICE)));
        EmulatedThread process =
                its.start("process", () -> expect(Errno.EINTR, () -> shared.sync(1)));
        execution.sleep(1_000_000);
        kernel.interrupt();
        process.interrupt();
        TestMachine.join(kernel);
        TestMachine.join(process);
        shared.put();
        assertThat(its.broken()).doesNotContain("CK-14");
    }

    @Test
    @Rule("DB-50")
    void whatTheExporterAnswersComesBack() {
        exporter.before =
                (_, _) -> {
                    throw new ErrnoException(Errno.EINVAL, "not begun");
                };
        expect(Errno.EINVAL, () -> buffer.beginCpuAccess(DmaDirection.TO_DEVICE));
        expect(Errno.EINVAL, () -> buffer.endCpuAccess(DmaDirection.TO_DEVICE));
    }

    @Test
    @Rule("DB-52")
    void syncChecksItsFlags() {
        for (long flags : new long[] {0, 4, 8, 9, 1L << 63 | 1, -1}) {
            expect(Errno.EINVAL, () -> buffer.sync(flags));
        }
        assertThat(exporter.calls).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(DmaDirection.class)
    @Rule("DB-52")
    void syncTranslatesReadAndWriteToDirections(DmaDirection direction) {
        long flags =
                switch (direction) {
                    case FROM_DEVICE -> DmaBuf.SYNC_READ;
                    case TO_DEVICE -> DmaBuf.SYNC_WRITE;
                    case BIDIRECTIONAL -> DmaBuf.SYNC_READ | DmaBuf.SYNC_WRITE;
                };
        machine.listen();
        buffer.sync(flags);
        buffer.sync(flags | DmaBuf.SYNC_END);
        assertThat(machine.events)
                .containsExactly(
                        new DmaBufEvents.CpuAccessBegun(buffer.id(), direction),
                        new DmaBufEvents.CpuAccessEnded(buffer.id(), direction));
        buffer.put();
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("CK-14")
    void whatIsNotEndedInTheSameDirectionIsReportedAtTheEnd() {
        buffer.beginCpuAccess(DmaDirection.TO_DEVICE);
        buffer.endCpuAccess(DmaDirection.FROM_DEVICE);
        assertThat(machine.broken()).isEmpty();
        buffer.put();
        assertThat(machine.broken()).containsExactly("CK-14", "CK-14");
    }

    @Test
    @Rule("DB-56")
    @Rule("DB-57")
    void mapsOfTheKernelAreCounted() {
        buffer.reservation()
                .whileHeld(_ -> {
                    IoSysMap one = buffer.vmap();
                    assertThat(buffer.vmap()).isEqualTo(one).isEqualTo(exporter.map);
                    buffer.vunmap(one);
                    assertThat(exporter.calls).containsExactly("vmap held");
                    buffer.vunmap(one);
                    buffer.vmap();
                    buffer.vunmap(one);
                });
        assertThat(exporter.names()).containsExactly("vmap", "vunmap", "vmap", "vunmap");
        Buffer plain = machine.export(new TestExporter());
        plain.reservation().whileHeld(_ -> expect(Errno.EINVAL, plain::vmap));
    }

    @Test
    @Rule("DB-56")
    @Rule("CK-14")
    void aWrongVunmapIsABug() {
        IoSysMap other = new IoSysMap(exporter.map.segment(), true);
        buffer.reservation()
                .whileHeld(_ -> {
                    assertThatIllegalStateException().isThrownBy(() -> buffer.vunmap(exporter.map));
                    buffer.vmap();
                    assertThatIllegalStateException().isThrownBy(() -> buffer.vunmap(other));
                });
        assertThat(machine.broken()).containsExactly("CK-14", "CK-14");
        assertThat(buffer.kernelMap().count()).isEqualTo(1);
    }

    @Test
    @Rule("DB-11")
    void aBufferThatEndsWithAKernelMapIsABugAndKeepsItsStorage() {
        buffer.reservation().whileHeld(_ -> buffer.vmap());
        assertThatIllegalStateException().isThrownBy(buffer::put);
        assertThat(machine.broken()).containsExactly("CK-14");
        assertThat(exporter.names()).doesNotContain("release");
    }
}
