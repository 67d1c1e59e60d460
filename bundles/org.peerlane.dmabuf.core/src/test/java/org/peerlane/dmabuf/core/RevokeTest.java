package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.peerlane.dmabuf.core.TestMachine.expect;
import static org.peerlane.dmabuf.core.TestMachine.map;
import static org.peerlane.dmabuf.core.TestMachine.unmap;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.DmaBufMapping;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("Revoke")
class RevokeTest {
    private final TestMachine machine = new TestMachine(new LiveExecution("revoke"));
    private final TestExporter exporter = new TestExporter();
    private final Buffer buffer = machine.export(exporter);

    @Test
    @Rule("RK-20")
    @Rule("RK-22")
    @Rule("dma-buf:T-24")
    void statesFollowTheMachineAndForGoodIsForGood() {
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        machine.heap.revoke(buffer, false);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
        machine.heap.revoke(buffer, false);
        machine.heap.unrevoke(buffer);
        machine.heap.unrevoke(buffer);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
        machine.heap.revoke(buffer, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        machine.heap.revoke(buffer, false);
        machine.heap.revoke(buffer, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        expect(Errno.EBADFD, () -> machine.heap.unrevoke(buffer));
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("RK-22")
    void whatIsRevokedBecomesForGoodWithoutAWait() {
        List<String> told = new ArrayList<>();
        machine.attach(buffer, _ -> told.add("told"));
        machine.heap.revoke(buffer, false);
        Fence running = machine.fence(buffer, FenceUsage.BOOKKEEP);
        machine.heap.revoke(buffer, true);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(told).hasSize(1);
        running.signal();
    }

    @Test
    @Rule("RK-1")
    @Rule("CK-3")
    @Rule("dma-buf:T-22")
    void aRevokedBufferIsAnObjectWithoutAccess() {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        machine.heap.revoke(buffer, false);
        expect(Errno.ENODEV, () -> map(attachment));
        expect(Errno.ENODEV, () -> machine.attach(buffer));
        assertThat(exporter.names()).containsExactly("attach", "attach", "detach");
        assertThat(machine.nvme.attachments()).containsExactly(attachment);
        buffer.setName("gone");
        assertThat(buffer.seek(0, 2)).isEqualTo(TestMachine.SIZE);
        assertThat(buffer.poll(1)).isEqualTo(1);
        machine.nvme.detach(buffer, attachment);
        buffer.put();
        assertThat(exporter.names()).endsWith("detach", "release");
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("RK-16")
    void whoeverGetsAccessBackIsToldOnceMoreAndMayMap() {
        List<RevokeState> told = new ArrayList<>();
        BufferAttachment attachment =
                machine.attach(buffer, a -> told.add(a.buffer().revokeState()));
        machine.heap.revoke(buffer, false);
        machine.heap.unrevoke(buffer);
        assertThat(told).containsExactly(RevokeState.REVOKING, RevokeState.REVOKED);
        unmap(map(attachment));
    }

    @Test
    @Rule("CK-3")
    void anExporterThatMapsWhatIsRevokedMeanwhileIsSeen() throws Exception {
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        exporter.before =
                (name, _) -> {
                    if (name.equals("map")) {
                        buffer.reservation().unlock();
                        EmulatedThread revoker =
                                machine.start("revoker", () -> machine.heap.revoke(buffer, false));
                        join(revoker);
                        buffer.reservation().lock(null);
                    }
                };
        BufferMapping mapping = map(attachment);
        assertThat(machine.broken()).containsExactly("CK-3");
        assertThat(machine.last().mapping()).isEqualTo(mapping.id());
    }

    private static void join(EmulatedThread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Rule("CK-26")
    @Rule("RK-4")
    void whoHoldsTheReservationMayNotRevoke() {
        buffer.reservation()
                .whileHeld(_ ->
                        assertThatIllegalStateException()
                                .isThrownBy(() -> machine.heap.revoke(buffer, false)));
        assertThat(machine.broken()).containsExactly("CK-26");
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.OK);
    }

    @Test
    @Rule("RK-3")
    void aRevokeThatFailsHalfWayCanBeRepeated() throws Exception {
        try (var _ =
                machine.execution
                        .checkpoints()
                        .arm(
                                "dmabuf.revoke.invalidated",
                                () -> {
                                    throw new IllegalArgumentException("injected");
                                })) {
            org.assertj.core.api.Assertions.assertThatIllegalArgumentException()
                    .isThrownBy(() -> machine.heap.revoke(buffer, false));
        }
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKING);
        assertThat(buffer.reservation().isLocked()).isFalse();
        machine.heap.revoke(buffer, false);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED);
    }

    @Explore(schedules = 1_000)
    @Rule("RK-3")
    @Rule("RK-2")
    void itWaitsForEveryFenceWithTheReservationAndForEveryUnmapWithoutIt(Execution execution)
            throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        List<String> order = new ArrayList<>();
        BufferAttachment attachment = its.attach(shared, _ -> order.add("told"));
        BufferMapping mapping = map(attachment);
        Fence running = its.fence(shared, FenceUsage.BOOKKEEP);
        EmulatedThread revoker =
                its.start(
                        "revoker",
                        () -> {
                            its.heap.revoke(shared, false);
                            order.add("revoked");
                        });
        execution.sleep(1_000_000);
        assertThat(shared.reservation().isLocked()).isTrue();
        assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKING);
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_BUSY);
        revoker.interrupt();
        running.signal();
        execution.sleep(1_000_000);
        assertThat(shared.reservation().isLocked()).isFalse();
        assertThat(mapping.state()).isEqualTo(MappingState.STALE_IDLE);
        assertThat(order).containsExactly("told");
        unmap(mapping);
        TestMachine.join(revoker);
        assertThat(order).containsExactly("told", "revoked");
        assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKED);
        assertThat(its.broken()).isEmpty();
    }

    @Explore(schedules = 200)
    @Rule("dma-buf:T-23")
    @Rule("RK-4")
    void whoDoesNotUnmapIsNamedAndWaitedForAllTheSame(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        BufferAttachment slow = its.attach(shared, _ -> {});
        BufferMapping first = map(slow);
        BufferMapping second = map(slow);
        BufferMapping pinned = map(its.attach(shared));
        EmulatedThread revoker = its.start("revoker", () -> its.heap.revoke(shared, false));
        execution.sleep(Revocation.PATIENCE_NANOS / 2);
        assertThat(its.broken()).isEmpty();
        execution.sleep(Revocation.PATIENCE_NANOS);
        assertThat(its.core.violations())
                .extracting(Violation::rule, Violation::owner, Violation::mapping)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("RK-4", "nvme", first.id()),
                        org.assertj.core.groups.Tuple.tuple("RK-4", "nvme", pinned.id()));
        assertThat(its.core.violations().getFirst().sentence()).contains("nvme0").contains("of 2");
        assertThat(its.core.why(shared.id()))
                .anySatisfy(line -> assertThat(line).contains("revoke: thread revoker waits"))
                .anySatisfy(line -> assertThat(line).contains("mapping " + second.id()));
        assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKING);
        List.<DmaBufMapping>of(first, second, pinned).forEach(TestMachine::unmap);
        TestMachine.join(revoker);
        assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKED);
    }

    @Explore(schedules = 10_000)
    @Rule("RK-3")
    @Rule("RK-20")
    void ofTwoRevokesNoneReturnsBeforeAccessHasEnded(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        BufferMapping mapping = map(its.attach(shared, _ -> {}));
        Runnable after = () -> assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        EmulatedThread one =
                its.start(
                        "one",
                        () -> {
                            its.heap.revoke(shared, false);
                            after.run();
                        });
        EmulatedThread two =
                its.start(
                        "two",
                        () -> {
                            its.heap.revoke(shared, true);
                            after.run();
                        });
        EmulatedThread importer = its.start("importer", () -> unmap(mapping));
        TestMachine.join(one);
        TestMachine.join(two);
        TestMachine.join(importer);
        assertThat(shared.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(its.broken()).isEmpty();
    }

    @Explore(schedules = 10_000)
    @Rule("CK-4")
    @Rule("RK-16")
    void revokesAndReturnsFollowEachOtherWhole(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        BufferAttachment attachment = its.attach(shared, _ -> {});
        EmulatedThread exporting =
                its.start(
                        "exporter",
                        () -> {
                            its.heap.revoke(shared, false);
                            its.heap.unrevoke(shared);
                        });
        EmulatedThread other = its.start("reset", () -> its.heap.revoke(shared, false));
        EmulatedThread importer =
                its.start(
                        "importer",
                        () -> {
                            for (int i = 0; i < 3; i++) {
                                try {
                                    unmap(map(attachment));
                                } catch (org.peerlane.kernel.api.ErrnoException e) {
                                    assertThat(e.errno()).isEqualTo(Errno.ENODEV);
                                }
                            }
                        });
        TestMachine.join(exporting);
        TestMachine.join(other);
        TestMachine.join(importer);
        assertThat(its.broken()).isEmpty();
        assertThat(shared.revokeState()).isIn(RevokeState.OK, RevokeState.REVOKED);
        assertThat(shared.mapped().size()).isZero();
    }

    @Explore(schedules = 10_000)
    @Rule("RK-3")
    @Rule("CK-3")
    void aMapIsEitherRefusedOrWaitedFor(Execution execution) throws Exception {
        TestMachine its = new TestMachine(execution);
        Buffer shared = its.export(new TestExporter());
        BufferAttachment attachment = its.attach(shared, _ -> {});
        EmulatedThread importer =
                its.start(
                        "importer",
                        () -> {
                            try {
                                BufferMapping mapping = map(attachment);
                                assertThat(shared.revokeState()).isNotEqualTo(RevokeState.REVOKED);
                                unmap(mapping);
                            } catch (org.peerlane.kernel.api.ErrnoException e) {
                                assertThat(e.errno()).isEqualTo(Errno.ENODEV);
                            }
                        });
        its.heap.revoke(shared, false);
        assertThat(shared.mapped().size()).isZero();
        TestMachine.join(importer);
        assertThat(its.broken()).isEmpty();
    }
}
