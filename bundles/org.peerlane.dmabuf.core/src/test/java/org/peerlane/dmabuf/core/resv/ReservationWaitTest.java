package org.peerlane.dmabuf.core.resv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.peerlane.dmabuf.api.FenceUsage.BOOKKEEP;
import static org.peerlane.dmabuf.api.FenceUsage.KERNEL;
import static org.peerlane.dmabuf.api.FenceUsage.READ;
import static org.peerlane.dmabuf.api.FenceUsage.WRITE;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.Schedule;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Exploration;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Waits for fences, and readers without the lock, against whoever changes the list. */
class ReservationWaitTest {
    private static final long MS = 1_000_000;

    private static void sleep(Execution execution, long nanos) {
        try {
            execution.sleep(nanos);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Explore(schedules = 200)
    @Rule("RV-23")
    @Rule("RV-7")
    void aWaitEndsWithTheLastFenceOfItsQueryHeldOrNot(Execution execution)
            throws InterruptedException {
        for (boolean held : new boolean[] {true, false}) {
            Testbed bed = new Testbed(execution);
            CoreReservation resv = bed.reservation("r");
            Fence first = bed.fence();
            Fence second = bed.fence();
            resv.lock(null);
            resv.reserveFences(3);
            resv.addFence(first, KERNEL);
            resv.addFence(second, WRITE);
            resv.addFence(bed.fence(), READ); // nobody waits for this one
            if (!held) {
                resv.unlock();
            }
            bed.start(
                    "device",
                    () -> {
                        sleep(execution, 10 * MS);
                        second.signal();
                        sleep(execution, 20 * MS);
                        first.signal();
                    });
            long begin = execution.nanoTime();
            long left = resv.waitTimeout(WRITE, false, 100 * MS);
            long took = execution.nanoTime() - begin;
            assertThat(took).isBetween(30 * MS, 32 * MS);
            assertThat(left).isBetween(66 * MS, 100 * MS - 30 * MS);
            assertThat(resv.testSignaled(WRITE)).isTrue();
            assertThat(resv.testSignaled(READ)).isFalse();
            bed.join();
            assertThat(bed.violations()).isEmpty();
        }
    }

    @Explore(schedules = 100)
    @Rule("RV-23")
    @Rule("CK-19")
    void zeroMeansNotSignaledInTimeAndAnythingElseThatAllHave(Execution execution) {
        Testbed bed = new Testbed(execution);
        CoreReservation resv = bed.reservation("r");
        assertThat(resv.waitTimeout(BOOKKEEP, true, 0)).isEqualTo(1);
        assertThat(resv.waitTimeout(BOOKKEEP, true, 7)).isEqualTo(7);
        Fence fence = bed.fence();
        resv.lock(null);
        resv.reserveFences(1);
        resv.addFence(fence, READ);
        resv.unlock();
        assertThat(resv.waitTimeout(READ, true, 0)).isZero();
        long begin = execution.nanoTime();
        assertThat(resv.waitTimeout(READ, true, 10 * MS)).isZero();
        assertThat(execution.nanoTime() - begin).isGreaterThanOrEqualTo(10 * MS);
        assertThat(resv.waitTimeout(WRITE, true, 0)).isEqualTo(1);
        fence.signal();
        assertThat(resv.waitTimeout(READ, true, 0)).isEqualTo(1);
        assertThat(resv.waitTimeout(READ, true, Reservation.NO_LIMIT))
                .isEqualTo(Reservation.NO_LIMIT);
        assertThatThrownBy(() -> resv.waitTimeout(READ, true, -1))
                .hasMessage("EINVAL: a limit of -1 ns, expected 0 or more");
    }

    @Explore(schedules = 500)
    @Rule("RV-23")
    void anInterruptEndsAnInterruptibleWaitAndNoReferenceIsLeft(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        CoreReservation resv = bed.reservation("r");
        Fence fence = bed.fence();
        resv.lock(null);
        resv.reserveFences(1);
        resv.addFence(fence, READ);
        resv.unlock();
        EmulatedThread waiter =
                bed.start(
                        "waiter",
                        () ->
                                assertThatThrownBy(() ->
                                                resv.waitTimeout(READ, true, Reservation.NO_LIMIT))
                                        .isInstanceOfSatisfying(
                                                ErrnoException.class,
                                                e ->
                                                        assertThat(e.errno())
                                                                .isEqualTo(Errno.ERESTARTSYS)));
        waiter.interrupt();
        bed.join();
        fence.signal();
        fence.put();
        resv.close();
        assertThat(bed.freed).hasValue(1);
    }

    /** DY-50: neither yields, and the report says who waits for what. */
    @Test
    @Rule("RV-4")
    void aPlainHolderThatWaitsForAFenceOfATransactionOnTheSameLockNeverEnds() {
        Schedule schedule =
                Exploration.of(1)
                        .run(execution -> {
                            Testbed bed = new Testbed(execution);
                            CoreReservation resv = bed.reservation("vram#3");
                            Fence eviction = bed.fence();
                            resv.lock(null);
                            resv.reserveFences(1);
                            resv.addFence(eviction, BOOKKEEP);
                            bed.start(
                                    "restore",
                                    () -> {
                                        CoreAcquireContext mine = bed.acquire();
                                        resv.lock(mine);
                                        eviction.signal();
                                        resv.unlock();
                                    });
                            resv.waitTimeout(BOOKKEEP, false, Reservation.NO_LIMIT);
                            resv.unlock();
                            bed.join();
                        })
                        .failure();
        assertThat(schedule).isNotNull();
        assertThat(schedule.verdict()).isEqualTo(Schedule.Verdict.DEADLOCK);
        assertThat(schedule.report()).contains("signaled(fence 1:1").contains("vram#3 of main");
    }

    // ---- races

    /**
     * A timeline goes on without a gap, in slot and class: a reader sees one of its fences at any
     * time.
     */
    @Explore(schedules = 10_000)
    @Rule("RV-22")
    void aReaderNeverMissesATimelineThatIsInTheListAllTheTime(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        CoreReservation resv = bed.reservation("r");
        Fence[] fences = new Fence[4];
        for (int i = 0; i < fences.length; i++) {
            fences[i] = bed.fence(900, i + 1);
        }
        resv.lock(null);
        resv.reserveFences(1);
        resv.addFence(fences[0], BOOKKEEP);
        resv.unlock();
        bed.start(
                "writer",
                () -> {
                    resv.lock(null);
                    resv.reserveFences(2);
                    resv.addFence(fences[1], READ); // in place, stronger
                    resv.addFence(bed.fence(), READ);
                    resv.addFence(fences[2], KERNEL); // in place, stronger
                    resv.reserveFences(4); // into a new list
                    resv.replaceFences(900, fences[3], READ); // weaker
                    resv.unlock();
                });
        for (int look = 0; look < 2; look++) {
            List<Long> seen = new ArrayList<>();
            resv.forEachFence(BOOKKEEP, (fence, usage) -> seen.add(fence.context()));
            assertThat(seen).contains(900L);
            List<Fence> list = resv.getFences(BOOKKEEP);
            assertThat(list).extracting(Fence::context).contains(900L);
            list.forEach(Fence::put);
            assertThat(resv.testSignaled(BOOKKEEP)).isFalse();
        }
        bed.join();
    }

    @Explore(schedules = 10_000)
    @Rule("RV-22")
    @Rule("RV-16")
    void aReaderSkipsFencesThatAreFreedMeanwhileAndKeepsNone(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        CoreReservation resv = bed.reservation("r");
        resv.lock(null);
        resv.reserveFences(2);
        Fence first = bed.fence(900, 1);
        Fence other = bed.fence(901, 1);
        resv.addFence(first, READ);
        resv.addFence(other, WRITE);
        resv.unlock();
        bed.start(
                "device",
                () -> {
                    first.signal();
                    other.signal();
                    other.put();
                });
        bed.start(
                "writer",
                () -> {
                    Fence next = bed.fence(900, 2);
                    resv.lock(null);
                    resv.reserveFences(3);
                    resv.addFence(next, READ);
                    resv.unlock();
                    first.waitTimeout(false, Reservation.NO_LIMIT);
                    first.put();
                    next.signal();
                    next.put();
                    resv.lock(null);
                    resv.reserveFences(5);
                    resv.unlock();
                });
        resv.forEachFence(BOOKKEEP, (fence, usage) -> fence.seqno());
        resv.getFences(BOOKKEEP).forEach(Fence::put);
        assertThat(resv.waitTimeout(BOOKKEEP, false, Reservation.NO_LIMIT)).isPositive();
        CoreReservation copy = bed.reservation("copy");
        copy.lock(null);
        copy.copyFences(resv);
        copy.unlock();
        bed.join();
        copy.close();
        resv.close();
        assertThat(bed.freed).hasValue(3);
        assertThat(bed.violations()).isEmpty();
    }

    /** What was in the list when the wait began has ended when the wait does. */
    @Explore(schedules = 10_000)
    @Rule("RV-23")
    @Rule("RV-22")
    void aWaitEndsOnlyWhenWhatWasThereHasEndedWhateverTookItsPlace(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        CoreReservation resv = bed.reservation("r");
        Fence first = bed.fence(900, 1);
        Fence second = bed.fence(900, 2);
        AtomicBoolean added = new AtomicBoolean();
        resv.lock(null);
        resv.reserveFences(1);
        resv.addFence(first, READ);
        resv.unlock();
        bed.start(
                "writer",
                () -> {
                    resv.lock(null);
                    resv.reserveFences(4);
                    resv.addFence(second, WRITE);
                    added.set(true);
                    resv.unlock();
                });
        bed.start(
                "device",
                () -> {
                    first.signal();
                    first.put();
                    second.signal();
                });
        boolean mustSeeSecond = added.get();
        assertThat(resv.waitTimeout(READ, false, Reservation.NO_LIMIT)).isPositive();
        assertThat(first.timestamp()).isPositive();
        if (mustSeeSecond) {
            assertThat(second.timestamp()).isPositive();
        }
        bed.join();
        assertThat(bed.violations()).isEmpty();
    }

    /** The list is replaced while somebody waits: what is only in the new one counts too. */
    @Explore(schedules = 10_000)
    @Rule("RV-22")
    @Rule("RV-23")
    void aWaitStartsOverInANewList(Execution execution) throws InterruptedException {
        Testbed bed = new Testbed(execution);
        CoreReservation resv = bed.reservation("r");
        Fence first = bed.fence();
        Fence second = bed.fence();
        resv.lock(null);
        resv.reserveFences(1);
        resv.addFence(first, READ);
        resv.unlock();
        bed.start(
                "device",
                () -> {
                    resv.lock(null);
                    resv.reserveFences(8);
                    resv.addFence(second, READ);
                    resv.unlock();
                    first.signal();
                    sleep(execution, MS);
                    second.signal();
                });
        assertThat(resv.waitTimeout(READ, false, Reservation.NO_LIMIT)).isPositive();
        assertThat(second.timestamp()).isPositive();
        bed.join();
    }
}
