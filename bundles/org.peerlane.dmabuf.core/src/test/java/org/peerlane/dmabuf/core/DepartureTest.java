package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.expect;
import static org.peerlane.dmabuf.core.TestMachine.join;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.DisplayName;
import org.peerlane.dmabuf.api.Attachment;
import org.peerlane.dmabuf.api.DepartureReport;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.MappingState;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.RevokeState;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.iommu.api.DmaDirection;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.FileTable;
import org.peerlane.kernel.api.OpenFile;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

@DisplayName("A bundle that leaves")
class DepartureTest {
    private static final int FEW = 50;
    private static final long LIMIT = 2_000_000_000L;

    /** A door that a test holds shut. */
    private static final class Door {
        private final NamedLock lock;
        private final Condition opened;
        private boolean open;

        Door(Execution execution) {
            lock = execution.lock("test.door");
            opened = lock.newCondition("opened");
        }

        void open() {
            lock.lock();
            try {
                open = true;
                opened.signalAll();
            } finally {
                lock.unlock();
            }
        }

        void pass() {
            lock.lock();
            try {
                while (!open) {
                    opened.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private static DepartureReport report(TestMachine machine) {
        return machine.core.departures().getLast();
    }

    // The exporter.

    @Explore(schedules = 500)
    @Rule("RK-22")
    void whatAnExporterLeavesBehindIsRevokedForGoodAndFreedOnce(Execution execution)
            throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Pinned exporter = new TestExporter.Pinned();
        Buffer buffer = machine.shared(exporter);
        Door told = new Door(execution);
        BufferAttachment attachment = machine.attach(buffer, _ -> told.open());
        BufferMapping mapping = TestMachine.map(attachment);
        EmulatedThread importer =
                machine.start(
                        "importer",
                        () -> {
                            told.pass();
                            TestMachine.unmap(mapping);
                        });
        machine.heap.close();
        join(importer);
        assertThat(exporter.names()).containsExactly("attach", "map", "unmap", "detach", "release");
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        expect(Errno.ENODEV, () -> TestMachine.map(attachment));
        expect(Errno.ENODEV, () -> machine.attach(buffer, _ -> {}));
        assertThat(machine.broken()).isEmpty();
        assertThat(report(machine).unfinished()).isEmpty();
        assertThat(report(machine).mappings()).isZero();
        machine.nvme.detach(buffer, attachment);
        buffer.put();
        assertThat(exporter.names()).hasSize(5);
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("RK-4")
    void anImporterThatNeverUnmapsIsNamedAndUnmappedForIt(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Pinned exporter = new TestExporter.Pinned();
        Buffer buffer = machine.shared(exporter);
        BufferAttachment fixed = machine.attach(buffer); // static: it pins
        BufferAttachment moving = machine.attach(buffer, _ -> {});
        BufferMapping pinned = TestMachine.map(fixed);
        BufferMapping other = TestMachine.map(moving);
        long before = execution.nanoTime();
        machine.heap.close();
        assertThat(execution.nanoTime() - before).isBetween(LIMIT, 2 * LIMIT);
        assertThat(exporter.names())
                .containsExactly(
                        "attach", "attach", "pin", "map", "map", "unmap", "unpin", "unmap",
                        "detach", "detach", "release");
        assertThat(buffer.pins()).isZero();
        assertThat(pinned.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(other.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(machine.broken()).containsExactly("RK-4", "RK-4");
        assertThat(machine.last().sentence()).contains("nvme0", "has not unmapped", "system#1");
        assertThat(report(machine).mappings()).isEqualTo(2);
        assertThat(report(machine).unfinished()).isEmpty();
        // the importer comes round: all of it has been done
        TestMachine.unmap(pinned);
        TestMachine.unmap(other);
        buffer.reservation().whileHeld(_ -> moving.unpin());
        machine.nvme.detach(buffer, fixed);
        machine.nvme.detach(buffer, moving);
        buffer.put();
        assertThat(machine.broken()).hasSize(2);
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DB-11")
    void aReferenceThatAnExporterHasHandedOverStaysWhenItLeaves(Execution execution) {
        TestMachine machine = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Buffer given = (Buffer) machine.heap.handOver(machine.export(exporter));
        Buffer kept = machine.export(new TestExporter());
        machine.heap.close();
        machine.sleep(LIMIT); // a crew lets go of what it has held meanwhile
        assertThat(given.references()).isEqualTo(1);
        assertThat(kept.references()).isZero();
        assertThat(exporter.names()).as("freed all the same").containsExactly("release");
        given.put();
        assertThat(machine.core.buffers()).isEmpty();
        assertThat(machine.broken()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("RK-14")
    void whatIsBehindOneBufferGoesAndTheExporterStays(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter going = new TestExporter();
        TestExporter staying = new TestExporter();
        Buffer gone = machine.shared(going);
        Buffer kept = machine.shared(staying);
        BufferMapping late = TestMachine.map(machine.attach(gone, _ -> {}));
        BufferAttachment other = machine.attach(kept, _ -> {});
        BufferMapping untouched = TestMachine.map(other);
        long before = execution.nanoTime();
        DepartureReport report = machine.heap.depart("vfio0", List.of(gone));
        assertThat(execution.nanoTime() - before).isBetween(LIMIT, 2 * LIMIT);
        assertThat(report.who()).isEqualTo("vfio0");
        assertThat(report.buffers()).isEqualTo(1);
        assertThat(report.mappings()).isEqualTo(1);
        assertThat(gone.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(late.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(going.names()).containsExactly("attach", "map", "unmap", "detach", "release");
        assertThat(untouched.state()).isEqualTo(MappingState.VALID);
        assertThat(staying.names()).containsExactly("attach", "map");
        Buffer next = machine.shared(new TestExporter());
        TestMachine.unmap(untouched);
        machine.nvme.detach(kept, other);
        kept.put();
        next.put();
        gone.put();
        assertThat(machine.broken()).containsExactly("RK-4");
    }

    @Explore(schedules = FEW)
    @Rule("RK-3")
    void fencesAreWaitedForUpToTheLimitAndThenSignalWithAnError(Execution execution)
            throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.shared(new TestExporter());
        machine.attach(buffer, _ -> {});
        Fence slow = machine.fence(machine.nvme, buffer, FenceUsage.BOOKKEEP);
        Fence never = machine.fence(machine.nvme, buffer, FenceUsage.WRITE);
        EmulatedThread engine =
                machine.start(
                        "engine",
                        () -> {
                            machine.sleep(LIMIT / 2);
                            slow.signal();
                        });
        machine.heap.close();
        join(engine);
        assertThat(slow.status()).isEqualTo(1);
        assertThat(never.status()).isEqualTo(-Errno.ENODEV.number());
        assertThat(machine.broken()).containsExactly("RK-4");
        assertThat(report(machine).fences()).isEqualTo(1);
        assertThat(never.signal()).isFalse(); // too late, and no harm
    }

    @Explore(schedules = FEW)
    @Rule("RK-4")
    @Rule("CK-10")
    void aCallbackThatNeverReturnsHoldsUpItsBufferAndNothingElse(Execution execution)
            throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter stuck = new TestExporter();
        TestExporter fine = new TestExporter();
        Buffer first = machine.shared(stuck);
        Buffer second = machine.export(fine);
        Door door = new Door(execution);
        BufferAttachment hanging = machine.attach(first, _ -> door.pass());
        BufferMapping mapping = TestMachine.map(hanging);
        machine.attach(second, _ -> {});
        long before = execution.nanoTime();
        machine.heap.close();
        assertThat(execution.nanoTime() - before).isLessThan(3 * LIMIT);
        assertThat(fine.names()).containsExactly("attach", "detach", "release");
        assertThat(stuck.names()).containsExactly("attach", "map");
        assertThat(report(machine).unfinished())
                .anySatisfy(line -> assertThat(line).contains("system#1"));
        assertThat(machine.broken()).contains("CK-10");
        assertThat(mapping.state()).isNotEqualTo(MappingState.VALID);
        door.open();
        machine.awaitThreads();
        assertThat(stuck.names()).containsExactly("attach", "map", "release");
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(first.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        machine.nvme.detach(first, hanging);
        first.put();
        assertThat(stuck.names()).hasSize(3);
    }

    @Explore(schedules = FEW)
    void storageThatTheKernelAddressesIsKeptUntilItLetsGo(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Full exporter = new TestExporter.Full();
        Buffer buffer = machine.shared(exporter);
        Reservation reservation = buffer.reservation();
        reservation.lock(null);
        var map = buffer.vmap();
        reservation.unlock();
        machine.heap.close();
        assertThat(exporter.names()).containsExactly("vmap");
        reservation.whileHeld(_ -> buffer.vunmap(map));
        assertThat(exporter.names()).containsExactly("vmap", "release");
        buffer.put();
        assertThat(exporter.names()).containsExactly("vmap", "release");
        assertThat(machine.broken()).isEmpty();
    }

    @Explore(schedules = 500)
    @Rule("RK-3")
    void anExporterLeavesWhileItRevokes(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Buffer buffer = machine.shared(exporter);
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        BufferMapping mapping = TestMachine.map(attachment);
        EmulatedThread reset =
                machine.start("reset", () -> machine.heap.revoke(buffer, false)); // no limit
        machine.heap.close();
        join(reset);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(exporter.names()).endsWith("unmap", "detach", "release");
        expect(Errno.EBADFD, () -> machine.heap.unrevoke(buffer));
        assertThat(machine.broken()).containsOnly("RK-4");
    }

    @Explore(schedules = 10_000)
    @Rule("RK-16")
    void accessDoesNotComeBackOnceItLeaves(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.shared(new TestExporter());
        boolean[] told = new boolean[1];
        BufferMapping[] mapped = new BufferMapping[1];
        BufferAttachment attachment =
                machine.attach(
                        buffer,
                        its -> told[0] |= ((BufferAttachment) its).mappingCount().get() != 0);
        machine.heap.revoke(buffer, false);
        EmulatedThread reset = // its end
                machine.start(
                        "reset",
                        () -> {
                            try {
                                machine.heap.unrevoke(buffer);
                            } catch (ErrnoException e) {
                                assertThat(e.errno()).isEqualTo(Errno.EBADFD);
                            }
                        });
        EmulatedThread importer =
                machine.start(
                        "importer",
                        () -> {
                            for (int i = 0; i < 3; i++) {
                                try {
                                    mapped[0] = TestMachine.map(attachment);
                                    return;
                                } catch (ErrnoException e) {
                                    machine.sleep(1_000);
                                }
                            }
                        });
        machine.heap.close();
        join(reset);
        join(importer);
        assertThat(buffer.revokeState()).isEqualTo(RevokeState.REVOKED_FOR_GOOD);
        if (mapped[0] != null) {
            assertThat(mapped[0].state()).isEqualTo(MappingState.UNMAPPED);
            assertThat(told[0]).isTrue();
        }
        machine.nvme.detach(buffer, attachment);
        buffer.put();
    }

    @Explore(schedules = 10_000)
    @Rule("DB-11")
    void theExporterLeavesWhileImportersComeAndGo(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Buffer buffer = machine.shared(exporter);
        EmulatedThread importer =
                machine.start(
                        "importer",
                        () -> {
                            BufferAttachment attachment;
                            try {
                                attachment = machine.attach(buffer, _ -> {});
                            } catch (ErrnoException e) {
                                assertThat(e.errno()).isEqualTo(Errno.ENODEV);
                                return;
                            }
                            try {
                                TestMachine.unmap(TestMachine.map(attachment));
                            } catch (ErrnoException e) {
                                assertThat(e.errno()).isEqualTo(Errno.ENODEV);
                            }
                            machine.nvme.detach(buffer, attachment);
                        });
        machine.heap.close();
        join(importer);
        buffer.put();
        assertThat(exporter.names()).filteredOn("release"::equals).hasSize(1);
        assertThat(exporter.names()).endsWith("release"); // after the detach, whoever told it
        assertThat(count(exporter, "attach")).isEqualTo(count(exporter, "detach"));
        assertThat(count(exporter, "map")).isEqualTo(count(exporter, "unmap"));
        assertThat(machine.broken()).isEmpty();
        assertThat(machine.core.buffers()).isEmpty();
    }

    private static long count(TestExporter exporter, String name) {
        return exporter.names().stream().filter(name::equals).count();
    }

    // The importer.

    @Explore(schedules = 500)
    @Rule("DB-26")
    @Rule("CK-6")
    void whatAnImporterLeavesBehindIsTakenBackForIt(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Pinned exporter = new TestExporter.Pinned();
        Buffer buffer = machine.export(exporter);
        FileTable files = machine.files();
        int fd = machine.heap.fd(files, buffer, 0);
        machine.nvme.get(files, fd);
        List<String> told = new ArrayList<>();
        BufferAttachment attachment = machine.attach(buffer, _ -> told.add("told"));
        BufferMapping mapping = TestMachine.map(attachment);
        buffer.reservation().whileHeld(_ -> attachment.pin());
        Fence fence = machine.fence(machine.nvme, buffer, FenceUsage.READ);
        EmulatedThread device =
                machine.start(
                        "device",
                        () -> {
                            machine.sleep(LIMIT / 4);
                            fence.signal();
                        });
        machine.nvme.close();
        join(device);
        assertThat(told).containsExactly("told");
        assertThat(fence.status()).isEqualTo(1); // waited for
        assertThat(mapping.state()).isEqualTo(MappingState.UNMAPPED);
        assertThat(exporter.names())
                .containsExactly("attach", "map", "pin", "unmap", "unpin", "detach");
        assertThat(machine.broken()).containsExactly("CK-6");
        assertThat(report(machine).attachments()).isEqualTo(1);
        assertThat(buffer.attached().snapshot()).isEmpty();
        machine.invalidate(buffer);
        assertThat(told).hasSize(1);
        assertThat(buffer.references()).isEqualTo(1); // the descriptor's
        files.close(fd);
        machine.awaitThreads();
        assertThat(exporter.names()).endsWith("release");
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("RK-4")
    void anImporterWhoseFencesNeverSignalHoldsNobodyUp(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        TestMachine.map(attachment);
        Fence never = machine.fence(machine.nvme, buffer, FenceUsage.BOOKKEEP);
        Fence others = machine.fence(machine.heap, buffer, FenceUsage.BOOKKEEP);
        machine.nvme.close();
        assertThat(never.status()).isEqualTo(-Errno.ENODEV.number());
        assertThat(others.status()).isZero();
        assertThat(machine.broken()).containsExactly("CK-6", "RK-4");
        assertThat(buffer.mapped().size()).isZero();
        others.signal();
    }

    @Explore(schedules = FEW)
    void aStaticImporterThatLeavesMappedIsNotTrustedToHaveStopped(Execution execution)
            throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Pinned exporter = new TestExporter.Pinned();
        Buffer buffer = machine.export(exporter);
        TestMachine.map(machine.attach(buffer));
        long before = execution.nanoTime();
        machine.nvme.close();
        assertThat(execution.nanoTime() - before).isLessThan(LIMIT); // nothing to wait for
        assertThat(machine.broken()).containsExactly("CK-6", "RK-4");
        assertThat(exporter.names())
                .containsExactly("attach", "pin", "map", "unmap", "unpin", "detach");
    }

    @Explore(schedules = FEW)
    void whoGaveEverythingBackLeavesAtOnceAndIsNotReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        TestMachine.unmap(TestMachine.map(attachment));
        machine.nvme.detach(buffer, attachment);
        machine.nvme.close();
        buffer.put();
        machine.heap.close();
        assertThat(machine.broken()).isEmpty();
        assertThat(machine.core.departures()).isEmpty();
        assertThat(execution.nanoTime()).isLessThan(LIMIT);
    }

    @Explore(schedules = 2_000)
    @Rule("DY-10")
    void anImporterLeavesWhileTheExporterMoves(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Buffer buffer = machine.export(exporter);
        BufferAttachment attachment = machine.attach(buffer, _ -> {});
        TestMachine.map(attachment);
        EmulatedThread mover = machine.start("mover", () -> machine.invalidate(buffer));
        machine.nvme.close();
        join(mover);
        assertThat(exporter.names()).containsExactly("attach", "map", "unmap", "detach");
        assertThat(machine.broken()).containsExactly("CK-6");
        buffer.put();
        machine.awaitThreads();
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = 10_000)
    void bothLeaveAtOnce(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Pinned exporter = new TestExporter.Pinned();
        Buffer buffer = machine.shared(exporter);
        TestMachine.map(machine.attach(buffer, _ -> {}));
        TestMachine.map(machine.attach(buffer));
        EmulatedThread other = machine.start("other", machine.heap::close);
        machine.nvme.close();
        join(other);
        buffer.put();
        machine.awaitThreads();
        assertThat(count(exporter, "map")).isEqualTo(count(exporter, "unmap")).isEqualTo(2);
        assertThat(count(exporter, "pin")).isEqualTo(count(exporter, "unpin")).isEqualTo(1);
        assertThat(count(exporter, "attach")).isEqualTo(count(exporter, "detach")).isEqualTo(2);
        assertThat(count(exporter, "release")).isEqualTo(1);
        assertThat(machine.core.departures())
                .allSatisfy(report -> assertThat(report.unfinished()).isEmpty());
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DB-10")
    void theReferenceOfItsExportIsPutForIt(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Buffer kept = machine.export(exporter);
        Buffer shared = machine.export(new TestExporter());
        shared.get();
        machine.heap.close();
        machine.awaitThreads();
        assertThat(exporter.names()).containsExactly("release");
        assertThat(kept.references()).isZero();
        assertThat(shared.references()).isEqualTo(1);
        shared.put();
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DB-7")
    void aReferenceThatWentToADescriptorIsTheDescriptors(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        FileTable files = machine.files();
        Buffer buffer = machine.export(new TestExporter());
        int fd = machine.heap.fd(files, buffer, 0);
        machine.heap.close();
        machine.awaitThreads();
        assertThat(buffer.references()).isEqualTo(1);
        files.close(fd);
        assertThat(machine.core.buffers()).isEmpty();
    }

    @Explore(schedules = FEW)
    @Rule("DB-10")
    void aReferenceThatWasGivenBackToTheBufferItselfIsNotPutTwice(Execution execution)
            throws Exception {
        TestMachine machine = new TestMachine(execution);
        FileTable files = machine.files();
        Buffer buffer = machine.export(new TestExporter());
        int fd = machine.heap.fd(files, buffer, 0);
        machine.nvme.get(files, fd).put();
        machine.nvme.close();
        machine.awaitThreads();
        assertThat(buffer.references()).isEqualTo(1);
        files.close(fd);
        assertThat(machine.core.buffers()).isEmpty();
        assertThat(machine.broken()).isEmpty();
    }

    // What it had left with others.

    private static final class Theirs extends FenceCallback implements OpenFile.PollWaiter {
        int calls;

        @Override
        public void signaled(Fence fence) {
            calls++;
        }

        @Override
        public void wake() {
            calls++;
        }
    }

    @Explore(schedules = FEW)
    @Rule("CK-41")
    void nothingCallsIntoItAfterwards(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        OwnerDmaBufs ring = new OwnerDmaBufs("ring", machine.core, Theirs.class::isInstance);
        Buffer buffer = machine.export(new TestExporter());
        Fence fence = machine.fence(buffer, FenceUsage.WRITE);
        Theirs theirs = new Theirs();
        fence.addCallback(theirs);
        buffer.poll(OpenFile.POLLIN, theirs);
        ring.close();
        fence.signal();
        assertThat(theirs.calls).isZero();
    }

    @Explore(schedules = 10_000)
    void whoWasAboutToCallItDoesNot(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Full exporter = new TestExporter.Full();
        Buffer buffer = machine.shared(exporter);
        boolean[] left = new boolean[1];
        boolean[] late = new boolean[1];
        exporter.before = (_, _) -> late[0] |= left[0];
        EmulatedThread user =
                machine.start(
                        "user",
                        () -> {
                            try {
                                buffer.beginCpuAccess(DmaDirection.TO_DEVICE);
                                buffer.endCpuAccess(DmaDirection.TO_DEVICE);
                            } catch (ErrnoException e) {
                                assertThat(e.errno()).isEqualTo(Errno.ENODEV);
                            }
                        });
        machine.heap.close();
        left[0] = true;
        join(user);
        assertThat(late[0]).isFalse();
        buffer.put();
    }

    @Explore(schedules = FEW)
    void aThreadInsideOfItsCodeIsNamed(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter exporter = new TestExporter();
        Door door = new Door(execution);
        Door inside = new Door(execution);
        Buffer buffer = machine.shared(exporter);
        exporter.before =
                (name, _) -> {
                    if (name.equals("attach")) {
                        inside.open();
                        door.pass();
                    }
                };
        EmulatedThread attaching =
                machine.start(
                        "attaching", () -> expect(Errno.ENODEV, () -> machine.attach(buffer)));
        inside.pass();
        machine.heap.close();
        assertThat(report(machine).unfinished())
                .containsExactly("ending system#1", "a thread is inside of the code of heap");
        assertThat(exporter.names()).doesNotContain("release");
        door.open();
        join(attaching);
        machine.awaitThreads();
        assertThat(exporter.names()).containsExactly("attach", "release");
        buffer.put();
    }

    @Explore(schedules = FEW)
    void whatIsAskedOfItAfterwardsIsRefused(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        TestExporter.Full exporter = new TestExporter.Full();
        Buffer buffer = machine.export("testkit", exporter);
        buffer.get(); // the importer's
        Attachment attachment = machine.attach(buffer, _ -> {});
        machine.heap.close();
        int calls = exporter.calls.size();
        buffer.beginCpuAccess(DmaDirection.BIDIRECTIONAL); // waits for fences, asks nobody
        buffer.endCpuAccess(DmaDirection.BIDIRECTIONAL);
        buffer.reservation()
                .whileHeld(_ -> {
                    expect(Errno.EINVAL, buffer::vmap);
                    expect(Errno.ENODEV, attachment::mapPhysical);
                    expect(Errno.ENODEV, () -> attachment.map(DmaDirection.TO_DEVICE));
                });
        assertThat(buffer.privateData()).isNotEqualTo("storage");
        machine.nvme.detach(buffer, attachment);
        buffer.put();
        assertThat(exporter.calls).hasSize(calls);
        assertThat(machine.broken()).isEmpty();
    }
}
