package org.peerlane.dmabuf.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.AcquireContext;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Profile;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;
import org.peerlane.trace.api.Tracer;

@DisplayName("The order of locks")
class LockOrderTest {
    private final Execution execution = new LiveExecution("order");
    private final TestMachine machine = new TestMachine(execution);
    private final Buffer buffer = machine.export(new TestExporter());
    private final Reservation reservation = buffer.reservation();

    private static void with(NamedLock lock, Runnable inside) {
        lock.lock();
        try {
            inside.run();
        } finally {
            lock.unlock();
        }
    }

    @Test
    @Rule("CK-25")
    void twoLocksOfAPluginInBothOrdersAreReportedOnceWithBothPlaces() {
        NamedLock a = execution.lock("plug.a");
        NamedLock b = execution.lock("plug.b");
        with(a, () -> with(b, () -> {}));
        with(a, () -> with(b, () -> {}));
        assertThat(machine.broken()).isEmpty();
        with(b, () -> with(a, () -> {}));
        with(b, () -> with(a, () -> {}));
        assertThat(machine.broken()).containsExactly("CK-25");
        assertThat(machine.last().sentence())
                .contains("takes plug.a with plug.b held at " + LockOrderTest.class.getName())
                .contains("takes plug.b with plug.a held at " + LockOrderTest.class.getName())
                .contains("thread " + Thread.currentThread().getName());
        assertThat(machine.last().owner()).isEqualTo(LockOrderTest.class.getPackageName());
    }

    @Test
    @Rule("CK-25")
    void aCircleOfThreeClassesIsFoundThroughOtherLocksOfTheSameNames() {
        with(execution.lock("x"), () -> with(execution.lock("y"), () -> {}));
        with(execution.lock("y"), () -> with(execution.lock("z"), () -> {}));
        assertThat(machine.broken()).isEmpty();
        with(execution.lock("z"), () -> with(execution.lock("x"), () -> {}));
        assertThat(machine.broken()).containsExactly("CK-25");
        assertThat(machine.last().sentence())
                .contains("y with x held")
                .contains("z with y held")
                .contains("x with z held");
    }

    @Test
    @Rule("CK-25")
    void whoOnlyTriesWaitsForNobody() throws Exception {
        NamedLock a = execution.lock("plug.a");
        NamedLock b = execution.lock("plug.b");
        with(a, () -> with(b, () -> {}));
        with(
                b,
                () -> {
                    assertThat(a.tryLock()).isTrue();
                    a.unlock();
                });
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("CK-25")
    @Rule("RK-35")
    void theMemoryLockBeforeTheReservationIsRightAndTheOtherWayIsSeen() {
        NamedLock memory = execution.lock("vfio.memory");
        with(memory, () -> reservation.whileHeld(_ -> {}));
        Buffer other = machine.export(new TestExporter());
        assertThat(machine.broken()).isEmpty();
        other.reservation().whileHeld(_ -> with(memory, () -> {}));
        assertThat(machine.broken()).containsExactly("CK-25");
        assertThat(machine.last().sentence())
                .contains("takes vfio.memory with " + other + " held")
                .contains("takes " + buffer + " with vfio.memory held");
    }

    @Test
    @Rule("CK-25")
    @Rule("RV-4")
    void severalReservationsNeedATransaction() {
        Reservation a = machine.heap.newReservation("a");
        Reservation b = machine.heap.newReservation("b");
        for (List<Reservation> order : List.of(List.of(a, b), List.of(b, a))) {
            AcquireContext mine = machine.heap.acquire();
            order.forEach(one -> one.lock(mine));
            order.forEach(Reservation::unlock);
            mine.close();
        }
        a.lock(null);
        assertThat(b.tryLock()).isTrue();
        b.unlock();
        a.unlock();
        assertThat(machine.broken()).isEmpty();
        a.whileHeld(_ -> b.whileHeld(_ -> {}));
        assertThat(machine.broken()).containsExactly("CK-25");
        assertThat(machine.last().sentence()).contains("takes b without a transaction");
    }

    @Test
    @Rule("CK-33")
    @Rule("FE-43")
    void aLockAroundAWaitForAFenceMayNotBeTakenOnTheWayToSignal() {
        NamedLock pages = execution.lock("iommufd.pages");
        with(pages, () -> machine.fence().waitTimeout(false, 1));
        boolean cookie = machine.heap.fences().beginSignalling();
        with(execution.lock("gpu.ring"), () -> {});
        assertThat(machine.broken()).isEmpty();
        with(pages, () -> {});
        machine.heap.fences().endSignalling(cookie);
        assertThat(machine.broken()).containsExactly("CK-33");
        assertThat(machine.last().sentence())
                .contains("takes iommufd.pages on the way to signal fences")
                .contains("waits for fence")
                .contains("with iommufd.pages held");
        with(execution.lock("gpu.ring"), () -> machine.fence().waitTimeout(false, 1));
        assertThat(machine.broken()).containsExactly("CK-33", "CK-33");
    }

    @Test
    @Rule("CK-33")
    void aLockThatIsTakenAfterTheSignalIsNotOnTheWay() {
        NamedLock pages = execution.lock("iommufd.pages");
        with(pages, () -> machine.fence().waitTimeout(false, 1));
        boolean cookie = machine.heap.fences().beginSignalling();
        machine.fence().signal();
        machine.heap.fences().endSignalling(cookie);
        with(pages, () -> {});
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("DB-71")
    @Rule("CK-33")
    void theMmapLockComesNeitherInsideAReservationNorOnTheWayToSignal() {
        NamedLock mmap = execution.lock("memory.mmap");
        with(mmap, () -> {});
        assertThat(machine.broken()).isEmpty();
        reservation.whileHeld(_ -> with(mmap, () -> {}));
        assertThat(machine.broken()).containsExactly("DB-71");
        assertThat(machine.last().buffer()).isEqualTo(buffer.id());
        boolean cookie = machine.heap.fences().beginSignalling();
        with(mmap, () -> {});
        machine.heap.fences().endSignalling(cookie);
        assertThat(machine.broken()).containsExactly("DB-71", "CK-33");
    }

    @Explore(schedules = 500)
    @Rule("CK-25")
    void ofTwoThreadsThatMakeOneInversionOneIsReportedWhetherTheyMeetOrNot(Execution simulated)
            throws Exception {
        TestMachine its = new TestMachine(simulated);
        NamedLock a = simulated.lock("a");
        NamedLock b = simulated.lock("b");
        EmulatedThread one = its.start("one", () -> with(a, () -> tried(b)));
        EmulatedThread two = its.start("two", () -> with(b, () -> tried(a)));
        TestMachine.join(one);
        TestMachine.join(two);
        assertThat(its.broken()).isEmpty();
        one = its.start("one", () -> inOrder(a, b));
        two = its.start("two", () -> inOrder(b, a));
        TestMachine.join(one);
        TestMachine.join(two);
        assertThat(its.core.violations())
                .allSatisfy(seen -> assertThat(seen.rule()).isEqualTo("CK-25"))
                .filteredOn(seen -> seen.sentence().contains("before that"))
                .hasSize(1);
    }

    private static void tried(NamedLock lock) {
        if (lock.tryLock()) {
            lock.unlock();
        }
    }

    /** Takes the second for a limited time, so that the two do not wait for ever. */
    private static void inOrder(NamedLock first, NamedLock second) {
        with(
                first,
                () -> {
                    try {
                        if (second.tryLock(1, java.util.concurrent.TimeUnit.MILLISECONDS)) {
                            second.unlock();
                        }
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    @Test
    void whileChecksAreOffLocksArePlainAndNothingIsKept() {
        Execution plain = new LiveExecution("plain");
        DmaBufCore off =
                new DmaBufCore(
                        plain,
                        new Tracer(plain::nanoTime, plain.lock("trace")),
                        Profile.DEFAULT,
                        null,
                        false);
        OwnerDmaBufs heap = new OwnerDmaBufs("heap", off);
        Buffer plainBuffer =
                (Buffer)
                        heap.export(
                                new org.peerlane.dmabuf.api.ExportInfo(
                                        "system", new TestExporter(), 4096, "storage"));
        Reservation lock = plainBuffer.reservation();
        NamedLock memory = plain.lock("vfio.memory");
        with(memory, () -> lock.whileHeld(_ -> {}));
        lock.whileHeld(_ -> with(memory, () -> {}));
        Fence fence =
                heap.fences().create(TestMachine.ISSUER, heap.fences().allocateContexts(1), 1);
        lock.whileHeld(its -> {
            its.reserveFences(1);
            its.addFence(fence, FenceUsage.BOOKKEEP);
            fence.waitTimeout(false, 1);
        });
        boolean cookie = heap.fences().beginSignalling();
        fence.signal();
        heap.fences().endSignalling(cookie);
        heap.revoke(plainBuffer, false);
        assertThat(memory.getClass().getSimpleName()).isEqualTo("LiveLock");
        assertThat(off.services().checks.threadsKnown()).isZero();
        assertThat(machine.core.services().checks.threadsKnown()).isPositive();
        assertThat(off.violations()).isEmpty();
    }
}
