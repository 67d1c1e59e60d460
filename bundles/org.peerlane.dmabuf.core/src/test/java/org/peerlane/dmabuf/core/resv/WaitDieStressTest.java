package org.peerlane.dmabuf.core.resv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Rule;

/** The lock on real threads and real memory. */
class WaitDieStressTest {
    private static final int ROUNDS = 3_000;
    private static final int THREADS = 4;

    /** Counters that only the lock guards: a second thread inside loses counts. */
    private static final class Account {
        long count;
    }

    @Test
    @Timeout(120)
    @Rule("RV-2")
    @Rule("RV-3")
    void noCountAndNoWakeUpIsLost() throws InterruptedException {
        try (LiveExecution execution = new LiveExecution("stress")) {
            Testbed bed = new Testbed(execution);
            CoreReservation a = bed.reservation("a");
            CoreReservation b = bed.reservation("b");
            Account inA = new Account();
            Account inB = new Account();
            List<EmulatedThread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int number = i;
                ThreadKind kind = i % 2 == 0 ? ThreadKind.POLLING : ThreadKind.BLOCKING;
                threads.add(
                        execution.start(
                                kind,
                                "t" + i,
                                () -> {
                                    for (int round = 0; round < ROUNDS; round++) {
                                        plain(a, inA);
                                        if (number % 2 == 0) {
                                            both(bed, a, inA, b, inB);
                                        } else {
                                            both(bed, b, inB, a, inA);
                                        }
                                    }
                                }));
            }
            for (EmulatedThread thread : threads) {
                assertThat(thread.join(TimeUnit.SECONDS.toNanos(100)))
                        .as("%s waits for ever: %s, %s", thread.name(), a.waiterNames(), b)
                        .isTrue();
                assertThat(thread.failure()).isEmpty();
            }
            assertThat(inA.count).isEqualTo(2L * THREADS * ROUNDS);
            assertThat(inB.count).isEqualTo((long) THREADS * ROUNDS);
            assertThat(bed.violations()).isEmpty();
        }
    }

    private static void plain(CoreReservation lock, Account account) {
        lock.lock(null);
        account.count++;
        lock.unlock();
    }

    private static void both(
            Testbed bed,
            CoreReservation first,
            Account inFirst,
            CoreReservation second,
            Account inSecond) {
        try (CoreAcquireContext mine = bed.acquire()) {
            CoreReservation from = first;
            CoreReservation to = second;
            from.lock(mine);
            while (true) {
                try {
                    to.lock(mine);
                    break;
                } catch (ErrnoException e) {
                    assertThat(e.errno()).isEqualTo(Errno.EDEADLK);
                    from.unlock();
                    to.lockSlow(mine);
                    CoreReservation taken = to;
                    to = from;
                    from = taken;
                }
            }
            mine.done();
            inFirst.count++;
            inSecond.count++;
            second.unlock();
            first.unlock();
        }
    }
}
