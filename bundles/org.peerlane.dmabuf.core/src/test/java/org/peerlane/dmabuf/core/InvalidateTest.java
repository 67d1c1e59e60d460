package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.dmabuf.core.TestMachine.NVME;
import static org.peerlane.dmabuf.core.TestMachine.map;
import static org.peerlane.dmabuf.core.TestMachine.unmap;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.AttachOperations;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

@DisplayName("Invalidate")
class InvalidateTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("invalidate"));
    private final TestExporter exporter = new TestExporter();
    private final Buffer buffer = machine.export(exporter);

    @Test
    @Rule("CK-29")
    @Rule("RV-21")
    void aCopyThatDoesNotWaitForEveryClassIsReported() {
        map(machine.attach(buffer, _ -> {}));
        Fence running = machine.fence(machine.nvme, buffer, FenceUsage.BOOKKEEP);
        Fence copy = move();
        assertThat(machine.broken()).isEmpty(); // it may wait where it runs
        copy.signal();
        assertThat(machine.broken()).containsExactly("CK-29");
        assertThat(machine.last().owner()).isEqualTo("heap");
        assertThat(machine.last().sentence()).contains("BOOKKEEP", buffer.toString());
        running.signal();
        Fence next = move();
        next.signal();
        assertThat(machine.broken()).hasSize(1);
    }

    @Test
    @Rule("CK-29")
    void aCopyThatWaitsWhereItRunsIsNotReported() {
        map(machine.attach(buffer, _ -> {}));
        Fence running = machine.fence(machine.nvme, buffer, FenceUsage.READ);
        Fence copy = move();
        running.signal();
        copy.signal();
        Fence later = machine.fence(machine.nvme, buffer, FenceUsage.BOOKKEEP);
        machine.fence(machine.heap, buffer, FenceUsage.KERNEL).signal(); // clears, moves nothing
        assertThat(machine.broken()).isEmpty();
        later.signal();
    }

    private Fence move() {
        Fence copy = machine.fence();
        buffer.reservation()
                .whileHeld(reservation -> {
                    machine.heap.invalidateMappings(buffer);
                    reservation.reserveFences(1);
                    reservation.addFence(copy, FenceUsage.KERNEL);
                });
        return copy;
    }

    @Test
    @Rule("DY-10")
    @Rule("DY-1")
    @Rule("DY-7")
    @Rule("DY-16")
    void dynamicImportersAreToldInOrderWithTheReservationHeldAndOthersAreNot() {
        List<String> told = new ArrayList<>();
        machine.attach(buffer, a -> told.add("first " + a.buffer().reservation().isHeld()));
        machine.attach(buffer);
        machine.nvme.dynamicAttach(buffer, NVME, new AttachOperations(false, null), null);
        machine.attach(buffer, _ -> told.add("second"));
        machine.invalidate(buffer);
        machine.invalidate(buffer);
        assertThat(told).containsExactly("first true", "second", "first true", "second");
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("CK-1")
    @Rule("DY-12")
    void aMappingIsBusyUntilTheFencesSeenThenHaveSignaledThenIdleThenGone() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        BufferMapping mapping = map(attachment);
        Fence seen = machine.fence(buffer, FenceUsage.BOOKKEEP);
        assertThat(mapping.state()).isEqualTo(MappingState.VALID);
        machine.invalidate(buffer);
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_BUSY);
        Fence later = machine.fence(buffer, FenceUsage.BOOKKEEP);
        machine.invalidate(buffer);
        seen.signal();
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_IDLE);
        BufferMapping fresh = map(attachment);
        assertThat(fresh.state()).isEqualTo(MappingState.VALID);
        assertThat(fresh.generation()).isEqualTo(mapping.generation() + 2);
        machine.invalidate(buffer);
        assertThat(fresh.state()).isEqualTo(MappingState.STALE_BUSY);
        later.signal();
        assertThat(fresh.state()).isEqualTo(MappingState.STALE_IDLE);
        unmap(mapping);
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
    }

    @Test
    @Rule("DY-2")
    void fencesThatTheCallbackLeavesCount() {
        List<Fence> left = new ArrayList<>();
        BufferAttachment attachment =
                machine.attach(
                        buffer,
                        a -> {
                            Fence fence = machine.fence();
                            a.buffer().reservation().reserveFences(1);
                            a.buffer().reservation().addFence(fence, FenceUsage.BOOKKEEP);
                            left.add(fence);
                        });
        BufferMapping mapping = map(attachment);
        machine.invalidate(buffer);
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_BUSY);
        left.getFirst().signal();
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_IDLE);
    }

    @Test
    @Rule("DY-2")
    void insideOfTheCallbackTheMappingIsStaleAndMayBeTakenBack() {
        List<MappingState> seen = new ArrayList<>();
        List<BufferMapping> mappings = new ArrayList<>();
        BufferAttachment attachment =
                machine.attach(
                        buffer,
                        a -> {
                            BufferMapping mapping = mappings.getFirst();
                            seen.add(mapping.state());
                            a.unmap(mapping, mapping.direction());
                            seen.add(mapping.state());
                        });
        mappings.add(map(attachment));
        machine.invalidate(buffer);
        assertThat(seen).containsExactly(MappingState.STALE_BUSY, MappingState.UNMAPPED);
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DY-12")
    void noReferenceToAFenceOutlivesTheMapping() {
        BufferMapping mapping = map(machine.attach(buffer, _ -> {}));
        Fence fence = machine.fence(buffer, FenceUsage.BOOKKEEP);
        int before = ((org.peerlane.dmabuf.core.fence.CoreFence) fence).references();
        machine.invalidate(buffer);
        machine.invalidate(buffer);
        mapping.state();
        assertThat(((org.peerlane.dmabuf.core.fence.CoreFence) fence).references())
                .isEqualTo(before + 1);
        unmap(mapping);
        assertThat(((org.peerlane.dmabuf.core.fence.CoreFence) fence).references())
                .isEqualTo(before);
    }

    @Test
    @Rule("DY-6")
    void aCallbackCannotFailAndTheOthersAreToldAllTheSame() {
        List<String> told = new ArrayList<>();
        machine.attach(
                buffer,
                _ -> {
                    throw new ErrnoException(Errno.ENOMEM, "no slot");
                });
        machine.attach(buffer, _ -> told.add("second"));
        machine.invalidate(buffer);
        assertThat(told).containsExactly("second");
        assertThat(machine.broken()).containsExactly("CK-7");
        assertThat(machine.last().owner()).isEqualTo("nvme");
    }

    @Test
    @Rule("CK-16")
    void aCallbackThatLosesTheReservationIsReported() {
        machine.attach(buffer, a -> a.buffer().reservation().unlock());
        assertThatIllegalStateException().isThrownBy(() -> machine.invalidate(buffer));
        assertThat(machine.core.violations())
                .anySatisfy(v -> {
                    assertThat(v.rule()).isEqualTo("CK-16");
                    assertThat(v.sentence()).contains("returned without it");
                    assertThat(v.owner()).isEqualTo("nvme");
                });
    }

    @Test
    @Rule("CK-24")
    @Rule("DY-1")
    void aCallbackMayNotInvalidateMapOrAttachOnItsBuffer() {
        List<Throwable> thrown = new ArrayList<>();
        machine.attach(
                buffer,
                a -> {
                    a.map(DmaDirection.TO_DEVICE);
                    for (Runnable call :
                            List.<Runnable>of(
                                    () -> machine.heap.invalidateMappings(buffer),
                                    () -> machine.attach(buffer),
                                    () -> map(a),
                                    () -> machine.heap.revoke(buffer, false))) {
                        try {
                            call.run();
                        } catch (IllegalStateException e) {
                            thrown.add(e);
                        }
                    }
                });
        machine.invalidate(buffer);
        assertThat(machine.broken()).containsExactly("CK-24", "CK-24", "CK-24", "CK-24", "CK-26");
        assertThat(thrown).hasSize(4);
    }

    @Test
    @Rule("RK-1")
    void onlyTheExporterInvalidatesOrRevokes() {
        buffer.reservation()
                .whileHeld(_ ->
                        TestMachine.expect(
                                Errno.EPERM, () -> machine.nvme.invalidateMappings(buffer)));
        TestMachine.expect(Errno.EPERM, () -> machine.nvme.revoke(buffer, true));
        TestMachine.expect(Errno.EPERM, () -> machine.nvme.unrevoke(buffer));
        assertThat(machine.broken()).containsExactly("RK-1", "RK-1", "RK-1");
    }

    @Test
    @Rule("dma-buf:T-13")
    @Rule("DY-8")
    void anExporterSeesPinsAndLeavesTheImporterAlone() {
        List<String> told = new ArrayList<>();
        BufferAttachment attachment = machine.attach(buffer, _ -> told.add("told"));
        buffer.reservation().whileHeld(_ -> attachment.pin());
        buffer.reservation()
                .whileHeld(_ -> {
                    if (buffer.pins() == 0) { // what a mover asks first (DY-11)
                        machine.heap.invalidateMappings(buffer);
                    }
                });
        assertThat(told).isEmpty();
        buffer.reservation().whileHeld(_ -> attachment.unpin());
        assertThat(buffer.pins()).isZero();
    }

    @Test
    @Rule("DY-10")
    void aStaticImportersMappingStaysValid() {
        Attachment still = machine.attach(buffer);
        BufferMapping mapping = map(still);
        machine.invalidate(buffer);
        assertThat(mapping.state()).isEqualTo(MappingState.VALID);
    }
}
