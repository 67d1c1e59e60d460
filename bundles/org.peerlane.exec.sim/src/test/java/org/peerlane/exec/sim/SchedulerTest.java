package org.peerlane.exec.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Schedule.Verdict;
import org.peerlane.exec.api.Simulator;
import org.peerlane.exec.api.ThreadKind;

@DisplayName("Scheduler")
@SuppressWarnings({"LockNotBeforeTry", "WaitNotInLoop"}) // what is left locked is the test
class SchedulerTest {
    private final Simulator simulator = Simulator.find();

    /** Four threads that meet at a lock, a condition, a checkpoint, a sleep and a JDK queue. */
    private static void busyBody(Execution execution) throws InterruptedException {
        NamedLock lock = execution.lock("queue");
        var turn = lock.newCondition("turn");
        LinkedBlockingQueue<Integer> results = new LinkedBlockingQueue<>();
        int[] next = new int[1];
        Checkpoint between = execution.checkpoint("test.between");
        List<EmulatedThread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int mine = i;
            threads.add(
                    execution.start(
                            ThreadKind.BLOCKING,
                            "t" + i,
                            () -> {
                                try {
                                    between.reached();
                                    lock.lock();
                                    try {
                                        while (next[0] != mine) {
                                            turn.await();
                                        }
                                        next[0]++;
                                        turn.signalAll();
                                    } finally {
                                        lock.unlock();
                                    }
                                    execution.sleep(1_000L * mine);
                                    results.add(mine);
                                } catch (InterruptedException e) {
                                    throw new AssertionError(e);
                                }
                            }));
        }
        Set<Integer> got = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            got.add(results.take());
        }
        for (EmulatedThread thread : threads) {
            thread.join();
        }
        assertThat(got).hasSize(4);
    }

    @Test
    void theSameSeedGivesTheSameBytes() {
        Set<String> different = new HashSet<>();
        for (long seed = 0; seed < 1_000; seed++) {
            Schedule first = simulator.run(seed, 10_000, SchedulerTest::busyBody);
            Schedule second = new ScheduleSimulator().run(seed, 10_000, SchedulerTest::busyBody);
            assertThat(first.verdict()).as(first.report()).isEqualTo(Verdict.PASSED);
            assertThat(bytes(second)).isEqualTo(bytes(first));
            assertThat(second.elapsedNanos()).isEqualTo(first.elapsedNanos());
            different.add(String.join("\n", first.log()));
        }
        assertThat(different).hasSizeGreaterThan(300);
    }

    private static byte[] bytes(Schedule schedule) {
        return String.join("\n", schedule.log()).getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void everyOrderOfThreeThreadsComesUp() {
        Set<String> orders = new HashSet<>();
        for (long seed = 0; seed < 200; seed++) {
            StringBuilder order = new StringBuilder();
            simulator.run(
                    seed,
                    100,
                    execution -> {
                        for (String name : List.of("a", "b", "c")) {
                            execution.start(
                                    ThreadKind.BLOCKING,
                                    name,
                                    () -> {
                                        execution.checkpoint("before").reached();
                                        order.append(name);
                                    });
                        }
                    });
            orders.add(order.toString());
        }
        assertThat(orders).containsExactlyInAnyOrder("abc", "acb", "bac", "bca", "cab", "cba");
    }

    @Test
    void whatAThreadThrowsFailsTheScheduleAndIsKept() {
        AssertionError planted = new AssertionError("planted");
        Schedule schedule =
                simulator.run(
                        7,
                        100,
                        execution ->
                                execution
                                        .start(
                                                ThreadKind.POLLING,
                                                "engine",
                                                () -> {
                                                    throw planted;
                                                })
                                        .join());
        assertThat(schedule.verdict()).isEqualTo(Verdict.THROWN);
        assertThat(schedule.thrown()).containsSame(planted);
        assertThat(schedule.report()).contains("engine").contains("planted");
        assertThat(schedule.seed()).isEqualTo(7);
    }

    @Test
    void aLoopWithoutEndIsALivelock() {
        for (long seed = 0; seed < 20; seed++) {
            Schedule schedule =
                    simulator.run(
                            seed,
                            1_000,
                            execution -> {
                                while (execution.nanoTime() >= 0) {
                                    execution.sleep(0);
                                }
                            });
            assertThat(schedule.verdict()).isEqualTo(Verdict.LIVELOCK);
            assertThat(schedule.report()).contains("1000 steps").contains("main");
        }
    }

    @Test
    void aThreadThatSpinsAtACheckpointDoesNotStarveTheOneItWaitsFor() {
        for (long seed = 0; seed < 200; seed++) {
            Schedule schedule =
                    simulator.run(
                            seed,
                            10_000,
                            execution -> {
                                boolean[] ready = new boolean[1];
                                Checkpoint spin = execution.checkpoint("spin");
                                execution.start(ThreadKind.POLLING, "w", () -> ready[0] = true);
                                while (!ready[0]) {
                                    spin.reached();
                                }
                            });
            assertThat(schedule.failed()).as(schedule.report()).isFalse();
        }
    }

    @Test
    void aWaitInTheJdkThatNobodyEndsIsADeadlock() {
        Schedule schedule = simulator.run(3, 1_000, execution -> new CountDownLatch(1).await());
        assertThat(schedule.verdict()).isEqualTo(Verdict.DEADLOCK);
        assertThat(schedule.report()).contains("main waits for something in the JDK");
    }

    @Test
    void aFailedScheduleDoesNotDisturbTheNext() {
        for (long seed = 0; seed < 2_000; seed++) {
            Schedule stuck =
                    simulator.run(
                            seed,
                            1_000,
                            execution -> {
                                NamedLock lock = execution.lock("kept");
                                lock.lock();
                                execution.start(ThreadKind.BLOCKING, "stuck", lock::lock).join();
                            });
            assertThat(stuck.verdict()).isEqualTo(Verdict.DEADLOCK);
        }
        Schedule after = simulator.run(1, 10_000, SchedulerTest::busyBody);
        assertThat(after.failed()).as(after.report()).isFalse();
    }

    @Test
    void anArmedActionRunsOnTheThreadThatPassesAndIsCounted() {
        Schedule schedule =
                simulator.run(
                        5,
                        1_000,
                        execution -> {
                            List<String> on = new ArrayList<>();
                            Checkpoints.Armed armed =
                                    execution
                                            .checkpoints()
                                            .arm(
                                                    "p.q",
                                                    () -> on.add(Thread.currentThread().getName()));
                            assertThat(execution.checkpoints().names()).isEmpty();
                            Checkpoint point = execution.checkpoint("p.q");
                            assertThat(execution.checkpoints().names()).containsExactly("p.q");
                            execution.start(ThreadKind.BLOCKING, "worker", point::reached).join();
                            point.reached();
                            assertThat(armed.hits()).isEqualTo(2);
                            armed.close();
                            point.reached();
                            assertThat(on).containsExactly("worker", "main");
                            assertThat(armed.hits()).isEqualTo(2);
                        });
        assertThat(schedule.failed()).as(schedule.report()).isFalse();
    }

    @Test
    void aLockTellsItsHolderAndRefusesAStrangersUnlock() {
        Schedule schedule =
                simulator.run(
                        5,
                        1_000,
                        execution -> {
                            NamedLock lock = execution.lock("device");
                            lock.lock();
                            lock.lock();
                            assertThat(lock.getHoldCount()).isEqualTo(2);
                            EmulatedThread stranger =
                                    execution.start(ThreadKind.BLOCKING, "stranger", lock::unlock);
                            stranger.join();
                        });
        assertThat(schedule.thrown()).containsInstanceOf(IllegalMonitorStateException.class);
        assertThat(schedule.report()).contains("stranger does not hold device#1");
    }

    @Test
    void aThreadOutsideTheSimulationIsRefused() {
        NamedLock[] kept = new NamedLock[1];
        simulator.run(1, 100, execution -> kept[0] = execution.lock("kept"));
        assertThatIllegalStateException()
                .isThrownBy(() -> kept[0].lock())
                .withMessageContaining("no thread of the running simulation");
    }

    @Test
    void aMonitorHeldAcrossASwitchPointIsNamed() {
        Object monitor = new Object();
        Simulator.Body body =
                execution -> {
                    Checkpoint inside = execution.checkpoint("inside");
                    Runnable enter =
                            () -> {
                                synchronized (monitor) {
                                    inside.reached();
                                }
                            };
                    EmulatedThread other = execution.start(ThreadKind.BLOCKING, "other", enter);
                    enter.run();
                    other.join();
                };
        Schedule schedule = simulator.run(0, 1_000, body);
        for (long seed = 1; seed < 50 && !schedule.failed(); seed++) {
            schedule = simulator.run(seed, 1_000, body);
        }
        assertThat(schedule.verdict()).isEqualTo(Verdict.UNCONTROLLED);
        assertThat(schedule.report()).contains("contends for a monitor").contains("SchedulerTest");
    }

    @Test
    void aThreadOutsideMayWakeOneThatWaitsInTheJdk() {
        CountDownLatch latch = new CountDownLatch(1);
        Schedule schedule =
                simulator.run(
                        0,
                        1_000,
                        execution -> {
                            Thread outside = Thread.ofPlatform().start(latch::countDown);
                            latch.await();
                            assertThat(outside.isVirtual()).isFalse();
                        });
        assertThat(schedule.failed()).as(schedule.report()).isFalse();
    }

    @Test
    void aVirtualThreadCannotRunASchedule() throws InterruptedException {
        List<Throwable> thrown = new ArrayList<>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        simulator.run(0, 10, execution -> {});
                    } catch (IllegalStateException e) {
                        thrown.add(e);
                    }
                })
                .join();
        assertThat(thrown).singleElement().asString().contains("platform thread");
    }
}
