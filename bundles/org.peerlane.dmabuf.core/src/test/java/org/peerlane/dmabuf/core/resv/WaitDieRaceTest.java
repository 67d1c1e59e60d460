package org.peerlane.dmabuf.core.resv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** The lock under every order of steps that a seed can think of. */
class WaitDieRaceTest {
    /** A lock, and who is inside: more than one never. */
    private static final class Guarded {
        final CoreReservation lock;
        private final Checkpoint within;
        private int inside;
        int times;

        Guarded(Testbed bed, String name) {
            lock = bed.reservation(name);
            within = bed.execution.checkpoint("test.within");
        }

        void use() {
            assertThat(lock.isHeld()).isTrue();
            assertThat(++inside).isEqualTo(1);
            within.reached();
            assertThat(inside--).isEqualTo(1);
            times++;
        }
    }

    /** Takes all, in an order; counts how often it gave way. {@return that count} */
    private static int transact(CoreAcquireContext mine, List<Guarded> all) {
        List<Guarded> held = new ArrayList<>();
        int backedOff = 0;
        Guarded contended = null;
        while (held.size() < all.size()) {
            try {
                if (contended != null) {
                    contended.lock.lockSlow(mine);
                    held.add(contended);
                    contended = null;
                }
                for (Guarded next : all) {
                    if (!held.contains(next)) {
                        contended = next;
                        next.lock.lock(mine);
                        held.add(next);
                        contended = null;
                    }
                }
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EDEADLK);
                backedOff++;
                held.forEach(guarded -> guarded.lock.unlock());
                held.clear();
            }
        }
        mine.done();
        for (Guarded guarded : all) {
            guarded.use();
        }
        held.forEach(guarded -> guarded.lock.unlock());
        mine.close();
        return backedOff;
    }

    @Explore(schedules = 10_000)
    @Rule("RV-2")
    @Rule("RV-3")
    @Rule("dma-buf:T-8")
    void twoThatTakeTwoInOppositeOrdersBothFinishAndTheOlderNeverGivesWay(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        Guarded a = new Guarded(bed, "a");
        Guarded b = new Guarded(bed, "b");
        int[] backedOff = new int[3];
        for (List<Guarded> order : List.of(List.of(a, b), List.of(b, a))) {
            bed.start(
                    order.getFirst().lock.name(),
                    () -> {
                        CoreAcquireContext mine = bed.acquire();
                        backedOff[(int) mine.stamp()] = transact(mine, order);
                    });
        }
        bed.join();
        assertThat(a.times).isEqualTo(2);
        assertThat(b.times).isEqualTo(2);
        assertThat(backedOff[1]).isZero();
        assertThat(backedOff[2]).isLessThanOrEqualTo(2);
        assertThat(bed.violations()).isEmpty();
    }

    /**
     * Who gives way waits until an older one is through with that lock. The oldest goes through
     * each of the three once, so the second gives way at most three times; so the second goes
     * through each at most four times, which bounds the third.
     */
    @Explore(schedules = 10_000)
    @Rule("RV-2")
    @Rule("RV-3")
    @Rule("RV-4")
    void threeThatTakeThreeAmongPlainOnesAndInterruptsAllFinish(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        Guarded a = new Guarded(bed, "a");
        Guarded b = new Guarded(bed, "b");
        Guarded c = new Guarded(bed, "c");
        int[] backedOff = new int[4];
        for (List<Guarded> order : List.of(List.of(a, b, c), List.of(c, b, a), List.of(b, a, c))) {
            bed.start(
                    order.getFirst().lock.name(),
                    () -> {
                        CoreAcquireContext mine = bed.acquire();
                        backedOff[(int) mine.stamp()] = transact(mine, order);
                    });
        }
        bed.start(
                "plain",
                () -> {
                    b.lock.lock(null);
                    b.use();
                    b.lock.unlock();
                });
        EmulatedThread interrupted = bed.start("interrupted", () -> takeInterruptibly(a));
        interrupted.interrupt();
        bed.join();
        assertThat(a.times).isGreaterThanOrEqualTo(3);
        assertThat(b.times).isEqualTo(4);
        assertThat(c.times).isEqualTo(3);
        assertThat(backedOff[1]).isZero();
        assertThat(backedOff[2]).isLessThanOrEqualTo(3);
        assertThat(backedOff[3]).isLessThanOrEqualTo(3 + 3 * 4);
        for (Guarded guarded : List.of(a, b, c)) {
            assertThat(guarded.lock.isLocked()).isFalse();
            assertThat(guarded.lock.waiterNames()).isEmpty();
        }
        assertThat(bed.violations()).isEmpty();
    }

    private static void takeInterruptibly(Guarded guarded) {
        try {
            guarded.lock.lockInterruptible(null);
        } catch (ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.EINTR);
            return;
        }
        guarded.use();
        guarded.lock.unlock();
    }

    /** Nobody waits for ever: who is left waiting fails the schedule. */
    @Explore(schedules = 10_000)
    @Rule("RV-6")
    void noWakeUpIsLostBetweenAnUnlockAndWhoQueues(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        Guarded a = new Guarded(bed, "a");
        for (int i = 0; i < 3; i++) {
            bed.start(
                    "t" + i,
                    () -> {
                        for (int time = 0; time < 2; time++) {
                            a.lock.lock(null);
                            a.use();
                            a.lock.unlock();
                        }
                    });
        }
        bed.join();
        assertThat(a.times).isEqualTo(6);
        assertThat(a.lock.isLocked()).isFalse();
    }

    /** The older one takes {@code a} while the younger one, who has {@code b}, goes to sleep. */
    @Explore(schedules = 10_000)
    @Rule("RV-2")
    void aSleeperGivesWayToAnOlderOneThatTakesTheLockFromTheSide(Execution execution)
            throws InterruptedException {
        Testbed bed = new Testbed(execution);
        CoreReservation a = bed.reservation("a");
        CoreReservation b = bed.reservation("b");
        CoreAcquireContext older = bed.acquire();
        bed.start(
                "younger",
                () -> {
                    CoreAcquireContext mine = bed.acquire();
                    b.lock(mine);
                    try {
                        a.lock(mine);
                        a.unlock();
                    } catch (ErrnoException e) {
                        assertThat(e.errno()).isEqualTo(Errno.EDEADLK);
                    }
                    b.unlock();
                });
        bed.start(
                "plain",
                () -> {
                    a.lock(null);
                    a.unlock();
                });
        a.lock(older);
        b.lock(older);
        b.unlock();
        a.unlock();
        bed.join();
    }
}
