package org.peerlane.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Simulator.Livelock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.testkit.Exploration.Result;

@DisplayName("Simulated execution")
class ExploreTest {
    private static final long HOUR = Duration.ofHours(1).toNanos();
    private static final AtomicInteger RUNS = new AtomicInteger();

    @Explore(schedules = 500)
    void anExploreTestRunsOncePerSeed(Execution exec) throws InterruptedException {
        RUNS.incrementAndGet();
        exec.start(ThreadKind.BLOCKING, "other", () -> {}).join();
    }

    @Explore(seed = 7)
    void oneSeedRunsOnce(Execution exec) {
        assertThat(exec.nanoTime()).isZero();
    }

    @Test
    @Timeout(value = 20, unit = TimeUnit.SECONDS)
    void aSimulatedHourTakesNoTime() {
        Result result =
                Exploration.of(1000)
                        .run(exec -> {
                            exec.sleep(HOUR);
                            if (exec.nanoTime() != HOUR) {
                                throw new AssertionError(exec.nanoTime());
                            }
                        });
        result.assertPassed();
    }

    @Explore(schedules = 1000)
    void timersRingInTheirOrder(Execution exec) throws InterruptedException {
        var rung = new StringBuilder();
        exec.schedule("late", 2000, () -> rung.append("late"));
        exec.schedule("early", 1000, () -> rung.append("early "));
        assertThat(exec.schedule("never", 1500, () -> rung.append("never")).cancel()).isTrue();
        exec.sleep(3000);
        assertThat(rung).hasToString("early late");
    }

    @Explore(schedules = 1000)
    void aTimedWaitEndsAtItsTimeOrAtTheSignal(Execution exec) throws InterruptedException {
        NamedLock lock = exec.lock("box");
        Condition filled = lock.newCondition("filled");
        boolean[] full = {false};
        exec.schedule(
                "producer",
                HOUR,
                () -> {
                    lock.lock();
                    full[0] = true;
                    filled.signal();
                    lock.unlock();
                });
        lock.lock();
        assertThat(filled.awaitNanos(HOUR / 2)).isLessThanOrEqualTo(0);
        assertThat(full[0]).isFalse();
        assertThat(exec.nanoTime()).isEqualTo(HOUR / 2);
        while (!full[0]) {
            assertThat(filled.awaitNanos(2 * HOUR)).isPositive();
        }
        lock.unlock();
        assertThat(exec.nanoTime()).isEqualTo(HOUR);
    }

    @Explore(schedules = 2000)
    void aTimedTryLockGivesUpAtItsTime(Execution exec) throws InterruptedException {
        NamedLock lock = exec.lock("held");
        lock.lock();
        boolean[] got = {true};
        EmulatedThread other =
                exec.start(ThreadKind.BLOCKING, "other", () -> got[0] = tryLock(lock, HOUR));
        other.join();
        assertThat(got[0]).isFalse();
        assertThat(exec.nanoTime()).isEqualTo(HOUR);
        lock.unlock();
    }

    private static boolean tryLock(NamedLock lock, long nanos) {
        try {
            return lock.tryLock(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Explore(schedules = 2000)
    void anInterruptEndsAWait(Execution exec) throws InterruptedException {
        var bell = new Doorbell(exec, "bell");
        boolean[] interrupted = {false};
        EmulatedThread engine =
                exec.start(
                        ThreadKind.BLOCKING,
                        "engine",
                        () -> {
                            try {
                                bell.await();
                            } catch (InterruptedException e) {
                                interrupted[0] = true;
                            }
                        });
        engine.interrupt();
        engine.join();
        assertThat(interrupted[0]).isTrue();
    }

    @Explore(schedules = 5000)
    void noRingOfADoorbellIsLost(Execution exec) throws InterruptedException {
        var bell = new Doorbell(exec, "bell");
        int[] rings = {0};
        int[] seen = {0};
        NamedLock lock = exec.lock("rings");
        EmulatedThread engine =
                exec.start(
                        ThreadKind.BLOCKING,
                        "engine",
                        () -> {
                            try {
                                while (seen[0] < 4) {
                                    bell.await();
                                    lock.lock();
                                    seen[0] = rings[0];
                                    lock.unlock();
                                }
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        for (int i = 0; i < 4; i++) {
            lock.lock();
            rings[0]++;
            lock.unlock();
            bell.ring();
        }
        engine.join();
    }

    @Explore(schedules = 200)
    void aLockIsReentrantAndKnowsItsHolder(Execution exec) {
        NamedLock lock = exec.lock("twice");
        lock.lock();
        lock.lock();
        lock.unlock();
        assertThat(lock.isHeldByCurrentThread()).isTrue();
        lock.unlock();
        assertThat(lock.isHeldByCurrentThread()).isFalse();
        assertThatExceptionOfType(IllegalMonitorStateException.class)
                .isThrownBy(lock::unlock)
                .withMessageContaining("twice");
    }

    @Explore(schedules = 200)
    void anArmedActionRunsAtItsCheckpoint(Execution exec) {
        int[] hits = {0};
        try (Armed armed = exec.checkpoints().arm("here", () -> hits[0]++)) {
            exec.checkpoint("here").reached();
            exec.checkpoint("here").reached();
            assertThat(armed.hits()).isEqualTo(2);
        }
        exec.checkpoint("here").reached();
        assertThat(hits[0]).isEqualTo(2);
        assertThat(exec.checkpoints().names()).containsExactly("here");
    }

    @Test
    void aLoopWithoutEndIsALivelock() {
        Result result =
                Exploration.of(1)
                        .stepLimit(1000)
                        .run(exec -> {
                            while (true) {
                                exec.checkpoint("round").reached();
                            }
                        });
        assertThat(result.failed()).isNotNull();
        assertThat(result.failed().failure())
                .isInstanceOf(Livelock.class)
                .hasMessageContaining("round");
    }

    @Test
    void whatAnyThreadThrowsFailsTheSchedule() {
        Result result =
                Exploration.of(1)
                        .run(exec ->
                                exec.start(
                                                ThreadKind.BLOCKING,
                                                "thrower",
                                                () -> {
                                                    throw new IllegalStateException("boom");
                                                })
                                        .join());
        assertThat(result.failed()).isNotNull();
        assertThat(result.failed().failure()).hasMessage("boom");
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(result::assertPassed)
                .withMessageContaining("seed 0")
                .withMessageContaining("main: start thrower");
    }

    @Test
    void differentSeedsReachDifferentOrders() {
        Set<String> orders = new HashSet<>();
        Exploration.of(2000)
                .run(exec -> {
                    var order = new StringBuilder();
                    EmulatedThread[] threads = new EmulatedThread[4];
                    for (int i = 0; i < threads.length; i++) {
                        int me = i;
                        threads[i] =
                                exec.start(
                                        ThreadKind.BLOCKING,
                                        "t" + i,
                                        () -> {
                                            exec.checkpoint("turn").reached();
                                            order.append(me);
                                        });
                    }
                    for (EmulatedThread thread : threads) {
                        thread.join();
                    }
                    orders.add(order.toString());
                })
                .assertPassed();
        assertThat(orders).as("all orders of four threads").hasSize(24);
    }
}
