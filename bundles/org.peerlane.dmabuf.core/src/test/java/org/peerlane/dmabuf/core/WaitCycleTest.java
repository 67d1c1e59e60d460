package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.peerlane.dmabuf.core.TestMachine.map;
import static org.peerlane.dmabuf.core.TestMachine.unmap;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Fences;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.dmabuf.api.Violation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Simulator;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Await;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;

/** Threads that wait for each other are named, whatever they wait through. */
@DisplayName("Threads that wait in a circle")
class WaitCycleTest {
    /** How long a deadlock of a test lasts until the test ends it. */
    private static final long LONG = 1_000_000_000;

    /** A GPU whose compute work can be restored only by a transaction over all buffers. */
    private static final class Gpu {
        final TestMachine machine;
        final Fences fences;
        final long timeline;
        final Fence eviction;

        Gpu(TestMachine machine) {
            this.machine = machine;
            fences = machine.heap.fences();
            timeline = fences.allocateContexts(1);
            eviction = fences.create(TestMachine.ISSUER, timeline, 1);
        }

        void restore(Reservation reservation) {
            fences.joinPool("restore");
            AcquireContext transaction = machine.heap.acquire();
            reservation.lock(transaction);
            reservation.unlock();
            transaction.close();
            eviction.signal();
            fences.leavePool("restore");
        }

        /** As an importer that maps without a transaction, and gives up in the end. */
        void mapAndWait(Reservation reservation) {
            reservation.whileHeld(_ -> eviction.waitTimeout(false, LONG));
        }
    }

    @Explore(schedules = 500)
    @Rule("CK-18")
    @Rule("DY-50")
    @Rule("dma-buf:T-18")
    void aWaitUnderAPlainLockForWorkThatNeedsItInATransactionIsReported(Execution execution)
            throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        Reservation reservation = buffer.reservation();
        Gpu gpu = new Gpu(machine);
        gpu.fences.signaledBy(gpu.timeline, "restore");
        EmulatedThread importer =
                machine.start(
                        "importer",
                        () ->
                                reservation.whileHeld(_ -> {
                                    sleep(execution, 1_000_000); // restore waits by now
                                    gpu.eviction.waitTimeout(false, LONG);
                                }));
        sleep(execution, 500_000);
        EmulatedThread restore = machine.start("restore", () -> gpu.restore(reservation));
        TestMachine.join(importer);
        TestMachine.join(restore);
        assertThat(machine.broken()).containsExactly("CK-18");
        assertThat(machine.last().buffer()).isEqualTo(buffer.id());
        assertThat(machine.last().sentence())
                .contains("thread importer waits for fence")
                .contains("a thread of pool restore of heap")
                .contains("thread restore waits for %s in a transaction".formatted(buffer))
                .contains("thread importer holds without a transaction");
    }

    @Explore(schedules = 200)
    @Rule("CK-18")
    @Rule("DY-50")
    void whatTheIssuerDeclaresIsEnough(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        Buffer other = machine.export(new TestExporter());
        Gpu gpu = new Gpu(machine);
        gpu.fences.completionNeeds(gpu.timeline, buffer.reservation());
        other.reservation().whileHeld(_ -> gpu.eviction.waitTimeout(false, 1));
        gpu.eviction.waitTimeout(false, 1);
        buffer.reservation().whileHeld(_ -> gpu.eviction.waitTimeout(false, 0));
        assertThat(machine.broken()).isEmpty();
        gpu.mapAndWait(buffer.reservation());
        assertThat(machine.broken()).containsExactly("CK-18");
        Fence array =
                machine.nvme
                        .fences()
                        .array(
                                java.util.List.of(gpu.eviction.get(), machine.fence()),
                                machine.nvme.fences().allocateContexts(1),
                                1,
                                false);
        buffer.reservation().whileHeld(_ -> array.waitTimeout(false, 1));
        assertThat(machine.broken()).containsExactly("CK-18", "CK-18");
    }

    @Explore(schedules = 500)
    @Rule("DY-50")
    void whoWaitsBeforeTheLockIsNotReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Reservation reservation = machine.export(new TestExporter()).reservation();
        Gpu gpu = new Gpu(machine);
        gpu.fences.signaledBy(gpu.timeline, "restore");
        gpu.fences.joinPool("restore");
        gpu.fences.completionNeeds(gpu.timeline, reservation);
        EmulatedThread importer =
                machine.start(
                        "importer",
                        () -> {
                            gpu.eviction.waitTimeout(false, Reservation.NO_LIMIT);
                            reservation.whileHeld(_ -> {});
                        });
        EmulatedThread other = machine.start("other", () -> reservation.whileHeld(_ -> {}));
        gpu.restore(reservation);
        TestMachine.join(importer);
        TestMachine.join(other);
        assertThat(machine.broken()).isEmpty();
    }

    @Explore(schedules = 500)
    @Rule("CK-33")
    @Rule("DY-51")
    void aReleaseThatNeedsTheLockBeforeItSignalsIsReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        Fences fences = machine.nvme.fences();
        long timeline = fences.allocateContexts(1);
        fences.signaledBy(timeline, "release");
        Fence drained = fences.create(TestMachine.ISSUER, timeline, 1);
        EmulatedThread release =
                machine.start(
                        "release",
                        () -> {
                            fences.joinPool("release");
                            sleep(execution, 1_000_000);
                            buffer.reservation().whileHeld(_ -> {});
                            drained.signal();
                            fences.leavePool("release");
                        });
        sleep(execution, 500_000);
        EmulatedThread gpu =
                machine.start(
                        "gpu",
                        () ->
                                buffer.reservation()
                                        .whileHeld(_ -> drained.waitTimeout(false, LONG)));
        TestMachine.join(gpu);
        TestMachine.join(release);
        assertThat(machine.broken()).containsExactly("CK-33");
        assertThat(machine.last().owner()).isEqualTo("nvme");
        assertThat(machine.last().sentence())
                .contains("thread release waits for " + buffer)
                .contains("thread gpu holds")
                .contains("thread gpu waits for fence");
    }

    @Explore(schedules = 500)
    @Rule("DY-51")
    void aReleaseThatSignalsFirstIsNotReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        Fences fences = machine.nvme.fences();
        long timeline = fences.allocateContexts(1);
        fences.signaledBy(timeline, "release");
        fences.joinPool("release");
        Fence drained = fences.create(TestMachine.ISSUER, timeline, 1);
        EmulatedThread gpu =
                machine.start(
                        "gpu",
                        () ->
                                buffer.reservation()
                                        .whileHeld(_ ->
                                                drained.waitTimeout(false, Reservation.NO_LIMIT)));
        drained.signal();
        buffer.reservation().whileHeld(_ -> {});
        TestMachine.join(gpu);
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("CK-18")
    @Rule("dma-buf:T-18")
    void liveThreadsThatWaitInACircleAreReportedToo() throws Exception {
        Execution execution = new LiveExecution("waits");
        TestMachine machine = new TestMachine(execution);
        Reservation reservation = machine.export(new TestExporter()).reservation();
        Gpu gpu = new Gpu(machine);
        gpu.fences.signaledBy(gpu.timeline, "restore");
        reservation.lock(null);
        EmulatedThread restore = machine.start("restore", () -> gpu.restore(reservation));
        Await.until(
                "who waits for the lock",
                () -> !machine.core.buffers().getFirst().lockWaiters().isEmpty());
        gpu.eviction.waitTimeout(false, 1); // it would be for ever
        reservation.unlock();
        TestMachine.join(restore);
        assertThat(machine.broken()).containsExactly("CK-18");
        assertThat(machine.last().sentence()).contains("thread waits/restore waits for system#");
    }

    @Test
    @Rule("CK-33")
    void whatASignallingPathTookBeforeIsRemembered() throws Exception {
        TestMachine machine = new TestMachine(new LiveExecution("waits"));
        Buffer buffer = machine.export(new TestExporter());
        Fences fences = machine.nvme.fences();
        long timeline = fences.allocateContexts(1);
        Fence first = fences.create(TestMachine.ISSUER, timeline, 1);
        Fence second = fences.create(TestMachine.ISSUER, timeline, 2);
        boolean cookie = fences.beginSignalling();
        buffer.reservation().whileHeld(_ -> {});
        first.signal();
        fences.endSignalling(cookie);
        assertThat(machine.broken()).containsExactly("CK-33"); // for the lock on the way
        second.waitTimeout(false, 1);
        assertThat(machine.broken()).hasSize(1);
        buffer.reservation().whileHeld(_ -> second.waitTimeout(false, 1));
        assertThat(machine.broken()).containsExactly("CK-33", "CK-33");
        assertThat(machine.last().sentence()).contains("which needs " + buffer);
    }

    @Explore(schedules = 500)
    @Rule("CK-34")
    @Rule("FE-50")
    void aPoolFullOfWaitersForWhatItSignalsIsReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Fences fences = machine.nvme.fences();
        long timeline = fences.allocateContexts(1);
        fences.signaledBy(timeline, "system");
        Fence queued = fences.create(TestMachine.ISSUER, timeline, 1);
        Runnable job =
                () -> {
                    fences.joinPool("system");
                    sleep(execution, 1_000_000);
                    queued.waitTimeout(false, LONG); // its signal is behind this in the queue
                    fences.leavePool("system");
                };
        EmulatedThread one = machine.start("worker-1", job);
        EmulatedThread idle =
                machine.start(
                        "worker-2",
                        () -> {
                            fences.joinPool("system");
                            sleep(execution, LONG / 2);
                            job.run();
                        });
        sleep(execution, LONG / 4);
        assertThat(machine.broken()).isEmpty();
        TestMachine.join(one);
        TestMachine.join(idle);
        assertThat(machine.broken()).containsExactly("CK-34");
        assertThat(machine.last().sentence())
                .contains("a thread of pool system of nvme has to end")
                .contains("thread worker-2 waits for fence");
    }

    @Test
    @Rule("CK-68")
    void aPollerMustNotBeTheOnlyWayToDrain() {
        TestMachine machine = new TestMachine(new LiveExecution("waits"));
        Fences fences = machine.nvme.fences();
        long timeline = fences.allocateContexts(1);
        fences.signaledBy(timeline, "iopoll");
        Fence reads = fences.create(TestMachine.ISSUER, timeline, 1);
        fences.joinPool("iopoll");
        fences.leavePool("iopoll");
        reads.waitTimeout(false, 1);
        assertThat(machine.broken()).containsExactly("CK-68");
        assertThat(machine.last().owner()).isEqualTo("nvme");
        assertThat(machine.last().sentence()).contains("pool iopoll of nvme");
    }

    @Explore(schedules = 500)
    @Rule("CK-26")
    @Rule("RK-4")
    void aRevokeThatIsWaitedForUnderTheReservationIsReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        BufferMapping mapping = map(machine.attach(buffer, _ -> {}));
        NamedLock device = execution.lock("gpu.reset");
        EmulatedThread reset =
                machine.start(
                        "reset",
                        () -> {
                            device.lock();
                            machine.heap.revoke(buffer, false);
                            device.unlock();
                        });
        sleep(execution, 1_000_000); // it waits for the unmap
        buffer.reservation().lock(null);
        try {
            assertThat(device.tryLock(1, java.util.concurrent.TimeUnit.MILLISECONDS)).isFalse();
        } finally {
            buffer.reservation().unlock();
        }
        unmap(mapping);
        TestMachine.join(reset);
        assertThat(machine.broken()).contains("CK-26");
        assertThat(machine.core.violations())
                .filteredOn(seen -> seen.rule().equals("CK-26"))
                .singleElement()
                .satisfies(seen ->
                        assertThat(seen.sentence())
                                .contains("thread reset waits for the unmaps of " + buffer)
                                .contains("gpu.reset")
                                .contains("thread main holds"));
    }

    @Explore(schedules = 500)
    @Rule("RV-2")
    void transactionsThatGiveWayAreNotReported(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Reservation a = machine.heap.newReservation("a");
        Reservation b = machine.heap.newReservation("b");
        EmulatedThread one = machine.start("one", () -> transact(machine, a, b));
        EmulatedThread two = machine.start("two", () -> transact(machine, b, a));
        TestMachine.join(one);
        TestMachine.join(two);
        assertThat(machine.broken()).isEmpty();
    }

    private static void transact(TestMachine machine, Reservation first, Reservation second) {
        AcquireContext mine = machine.heap.acquire();
        Reservation one = first;
        Reservation other = second;
        one.lock(mine);
        while (true) {
            try {
                other.lock(mine);
                break;
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EDEADLK);
                one.unlock();
                other.lockSlow(mine);
                Reservation held = other;
                other = one;
                one = held;
            }
        }
        one.unlock();
        other.unlock();
        mine.close();
    }

    @Test
    @Rule("CK-25")
    @Rule("RV-4")
    void aDeadlockIsReportedBeforeTheSimulatorGivesUp() {
        int deadlocks = 0;
        for (int seed = 0; seed < 50; seed++) {
            List<Violation> seen = new ArrayList<>();
            Schedule schedule =
                    Simulator.find()
                            .run(
                                    seed,
                                    Simulator.STEP_LIMIT,
                                    execution -> {
                                        TestMachine machine = new TestMachine(execution);
                                        machine.tracer.attach(collecting(seen));
                                        lockBothWays(machine);
                                    });
            if (schedule.verdict() == Schedule.Verdict.DEADLOCK) {
                deadlocks++;
                assertThat(seen)
                        .anySatisfy(violation -> {
                            assertThat(violation.rule()).isEqualTo("CK-25");
                            assertThat(violation.sentence())
                                    .contains("thread one waits for")
                                    .contains("thread two waits for")
                                    .contains("nobody of them can go on");
                        });
            } else {
                assertThat(schedule.verdict()).isEqualTo(Schedule.Verdict.PASSED);
                assertThat(seen)
                        .allSatisfy(violation ->
                                assertThat(violation.sentence()).doesNotContain("nobody of them"));
            }
        }
        assertThat(deadlocks).isPositive();
    }

    private static TraceSink collecting(List<Violation> seen) {
        return new TraceSink() {
            @Override
            public boolean wants(Class<? extends TraceEvent> type) {
                return type == Violation.class;
            }

            @Override
            public void accept(long nanos, TraceEvent event) {
                seen.add((Violation) event);
            }
        };
    }

    private static void lockBothWays(TestMachine machine) {
        Reservation a = machine.heap.newReservation("a");
        NamedLock b = machine.execution.lock("plug.b");
        machine.start(
                "one",
                () ->
                        a.whileHeld(_ -> {
                            b.lock();
                            b.unlock();
                        }));
        machine.start(
                "two",
                () -> {
                    b.lock();
                    a.whileHeld(_ -> {});
                    b.unlock();
                });
    }

    @Explore(schedules = 200)
    @Rule("RK-4")
    @Rule("DB-67")
    void whyFollowsTheChainToTheFenceThatIsLate(Execution execution) throws Exception {
        TestMachine machine = new TestMachine(execution);
        Buffer buffer = machine.export(new TestExporter());
        Fence copy = machine.fence();
        BufferMapping[] mapping = new BufferMapping[1];
        EmulatedThread importer =
                machine.start(
                        "importer",
                        () -> {
                            mapping[0] = map(machine.attach(buffer, _ -> {}));
                            copy.waitTimeout(false, Reservation.NO_LIMIT);
                            unmap(mapping[0]);
                        });
        sleep(execution, 1_000_000);
        EmulatedThread reset = machine.start("reset", () -> machine.heap.revoke(buffer, false));
        sleep(execution, 1_000_000);
        assertThat(machine.core.why(buffer.id()))
                .contains(
                        "why: the revoke of %s: thread reset waits for mapping %d of nvme0 (nvme), whose thread importer waits for fence gpu0/copy#1 of heap (unsignaled)"
                                .formatted(buffer, mapping[0].id()));
        copy.signal();
        TestMachine.join(importer);
        TestMachine.join(reset);
        assertThat(machine.broken()).isEmpty();
    }

    private static void sleep(Execution execution, long nanos) {
        try {
            execution.sleep(nanos);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
