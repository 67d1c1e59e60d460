package org.peerlane.exec.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Schedule.Verdict;
import org.peerlane.exec.api.Simulator;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;

@DisplayName("Simulated time")
@SuppressWarnings({"LockNotBeforeTry", "WaitNotInLoop"}) // each wait is what a test asserts
class SimulatedTimeTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);
    private static final long SEEDS = 300;

    @Test
    void anHourOfSleepTakesMilliseconds() {
        long before = System.nanoTime();
        Schedule schedule = everySeed(execution -> execution.sleep(HOUR));
        assertThat(schedule.elapsedNanos()).isBetween(HOUR, HOUR + 1_000_000);
        assertThat(System.nanoTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(20));
    }

    @Test
    void sleepersWakeInTheOrderOfTheirDeadlines() {
        everySeed(execution -> {
            List<Integer> woken = new ArrayList<>();
            List<EmulatedThread> threads = new ArrayList<>();
            for (int i : new int[] {3, 1, 2}) {
                threads.add(
                        execution.start(
                                ThreadKind.BLOCKING,
                                "sleeper" + i,
                                () -> {
                                    sleep(execution, i * HOUR);
                                    woken.add(i);
                                }));
            }
            for (EmulatedThread thread : threads) {
                thread.join();
            }
            assertThat(woken).containsExactly(1, 2, 3);
        });
    }

    @Test
    void timedConditionWaitEndsAtItsDeadlineWithTheLockHeld() {
        everySeed(execution -> {
            NamedLock lock = execution.lock("queue");
            Condition notEmpty = lock.newCondition("not-empty");
            lock.lock();
            long before = execution.nanoTime();
            assertThat(notEmpty.awaitNanos(HOUR)).isLessThanOrEqualTo(0);
            assertThat(execution.nanoTime() - before).isGreaterThanOrEqualTo(HOUR);
            assertThat(notEmpty.await(1, TimeUnit.SECONDS)).isFalse();
            assertThat(lock.isHeldByCurrentThread()).isTrue();
            lock.unlock();
        });
    }

    @Test
    void aSignalBeforeTheDeadlineLeavesTheRestOfTheTime() {
        everySeed(execution -> {
            NamedLock lock = execution.lock("queue");
            Condition notEmpty = lock.newCondition("not-empty");
            lock.lock();
            execution.schedule(
                    "fill",
                    HOUR / 2,
                    () -> {
                        lock.lock();
                        notEmpty.signal();
                        lock.unlock();
                    });
            assertThat(notEmpty.awaitNanos(HOUR)).isBetween(HOUR / 3, HOUR / 2);
            lock.unlock();
        });
    }

    @Test
    void tryLockWithATimeoutGivesUpWhileAnotherHoldsTheLock() {
        everySeed(execution -> {
            NamedLock lock = execution.lock("device");
            Doorbell taken = new Doorbell(execution, "taken");
            EmulatedThread holder =
                    execution.start(
                            ThreadKind.BLOCKING,
                            "holder",
                            () -> {
                                lock.lock();
                                taken.ring();
                                sleep(execution, 2 * HOUR);
                                lock.unlock();
                            });
            taken.await();
            assertThat(lock.tryLock()).isFalse();
            assertThat(lock.tryLock(1, TimeUnit.HOURS)).isFalse();
            assertThat(holder.join(1)).isFalse();
            assertThat(lock.tryLock(2, TimeUnit.HOURS)).isTrue();
            lock.unlock();
            holder.join();
        });
    }

    @Test
    void timersRunInOrderAndACancelledOneNever() {
        everySeed(execution -> {
            List<String> ran = new ArrayList<>();
            Timer late = execution.schedule("late", 3 * HOUR, () -> ran.add("late"));
            execution.schedule("second", 2 * HOUR, () -> ran.add("second"));
            Timer first = execution.schedule("first", HOUR, () -> ran.add("first"));
            execution.schedule("cancel", HOUR + HOUR / 2, () -> ran.add("c" + late.cancel()));
            execution.sleep(4 * HOUR);
            assertThat(ran).containsExactly("first", "ctrue", "second");
            assertThat(first.cancel()).isFalse();
        });
    }

    @Test
    void aTimerThatArmsItselfAgainEndsWithTheBody() {
        Schedule schedule =
                everySeed(execution -> {
                    Runnable[] again = new Runnable[1];
                    again[0] = () -> execution.schedule("tick", HOUR, again[0]);
                    again[0].run();
                    execution.sleep(10 * HOUR + 1);
                });
        assertThat(schedule.elapsedNanos()).isLessThan(11 * HOUR);
    }

    @Test
    void anInterruptEndsSleepWaitTimedLockAndJoin() {
        everySeed(execution -> {
            NamedLock lock = execution.lock("device");
            Condition never = lock.newCondition("never");
            lock.lock();
            List<EmulatedThread> threads =
                    List.of(
                            interruptible(execution, () -> execution.sleep(HOUR)),
                            interruptible(execution, lock::lockInterruptibly),
                            interruptible(execution, () -> lock.tryLock(1, TimeUnit.HOURS)),
                            interruptible(execution, new Doorbell(execution, "bell")::await),
                            interruptible(
                                    execution,
                                    () -> {
                                        NamedLock own = execution.lock("own");
                                        own.lock();
                                        try {
                                            own.newCondition("never").await();
                                        } finally {
                                            own.unlock();
                                        }
                                    }));
            EmulatedThread joiner = interruptible(execution, threads.get(0)::join);
            joiner.interrupt();
            joiner.join();
            for (EmulatedThread thread : threads) {
                thread.interrupt();
                thread.join();
            }
            assertThat(never.awaitNanos(0)).isLessThanOrEqualTo(0);
            lock.unlock();
            assertThat(execution.nanoTime()).isLessThan(HOUR);
        });
    }

    @Test
    void plainLockIgnoresAnInterruptAndKeepsIt() {
        everySeed(execution -> {
            NamedLock lock = execution.lock("device");
            lock.lock();
            boolean[] seen = new boolean[1];
            EmulatedThread waiter =
                    execution.start(
                            ThreadKind.BLOCKING,
                            "waiter",
                            () -> {
                                lock.lock();
                                lock.unlock();
                                seen[0] = Thread.interrupted();
                            });
            waiter.interrupt();
            lock.unlock();
            waiter.join();
            assertThat(seen[0]).isTrue();
        });
    }

    @Test
    void aWaitOnRealTimeIsRefused() {
        Schedule schedule = new ScheduleSimulator().run(1, 100, execution -> Thread.sleep(60_000));
        assertThat(schedule.verdict()).isEqualTo(Verdict.UNCONTROLLED);
        assertThat(schedule.report()).contains("main waits on real time").contains(".java:");
    }

    private interface Interruptible {
        void run() throws InterruptedException;
    }

    private static EmulatedThread interruptible(Execution execution, Interruptible wait) {
        return execution.start(
                ThreadKind.BLOCKING,
                "interrupted",
                () -> assertThatExceptionOfType(InterruptedException.class).isThrownBy(wait::run));
    }

    private static void sleep(Execution execution, long nanos) {
        try {
            execution.sleep(nanos);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Schedule everySeed(Simulator.Body body) {
        Schedule last = null;
        for (long seed = 1; seed <= SEEDS; seed++) {
            last = new ScheduleSimulator().run(seed, 10_000, body);
            assertThat(last.failed())
                    .as("seed %d: %s %s", seed, last.report(), last.log())
                    .isFalse();
        }
        return Objects.requireNonNull(last);
    }
}
