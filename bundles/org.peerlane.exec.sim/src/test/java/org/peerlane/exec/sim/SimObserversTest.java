package org.peerlane.exec.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.Schedule;
import org.peerlane.exec.api.Simulator;
import org.peerlane.exec.api.ThreadKind;

class SimObserversTest {
    /** Writes down what it is told. */
    static final class Told implements LockObserver {
        final List<String> calls = new ArrayList<>();

        @Override
        public void acquiring(NamedLock lock) {
            calls.add("acquiring " + lock.name());
        }

        @Override
        public void waiting(NamedLock lock) {
            calls.add("waiting " + lock.name());
        }

        @Override
        public void acquired(NamedLock lock) {
            calls.add("acquired " + lock.name());
        }

        @Override
        public void givenUp(NamedLock lock) {
            calls.add("given up " + lock.name());
        }

        @Override
        public void released(NamedLock lock) {
            calls.add("released " + lock.name());
        }
    }

    private static void body(Execution execution) throws InterruptedException {
        NamedLock lock = execution.lock("a");
        lock.lock();
        var other =
                execution.start(
                        ThreadKind.BLOCKING,
                        "other",
                        () -> {
                            try {
                                if (lock.tryLock(5, TimeUnit.MICROSECONDS)) {
                                    lock.unlock();
                                }
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                        });
        lock.lock();
        execution.sleep(10_000);
        lock.unlock();
        lock.unlock();
        if (lock.tryLock()) {
            lock.unlock();
        }
        other.join();
    }

    @Test
    void observingChangesNoSchedule() {
        for (int seed = 0; seed < 100; seed++) {
            Schedule plain =
                    new ScheduleSimulator().run(seed, Simulator.STEP_LIMIT, SimObserversTest::body);
            Schedule observed =
                    new ScheduleSimulator()
                            .run(
                                    seed,
                                    Simulator.STEP_LIMIT,
                                    execution -> {
                                        execution.observeLocks(new Told());
                                        body(execution);
                                    });
            assertThat(plain.failed()).as(plain.report()).isFalse();
            assertThat(observed.log()).isEqualTo(plain.log());
            assertThat(observed.elapsedNanos()).isEqualTo(plain.elapsedNanos());
        }
    }

    @Test
    void takesWaitsAndReleasesAreToldOnce() {
        int waited = 0;
        for (int seed = 0; seed < 100; seed++) {
            Told told = new Told();
            Schedule schedule =
                    new ScheduleSimulator()
                            .run(
                                    seed,
                                    Simulator.STEP_LIMIT,
                                    execution -> {
                                        var observation = execution.observeLocks(told);
                                        body(execution);
                                        observation.close();
                                        execution.lock("b").lock();
                                    });
            assertThat(schedule.failed()).as(schedule.report()).isFalse();
            assertThat(told.calls)
                    .startsWith("acquiring a", "acquired a")
                    .doesNotContain("acquiring b");
            long taken = told.calls.stream().filter("acquired a"::equals).count();
            assertThat(taken).isBetween(2L, 3L);
            assertThat(told.calls.stream().filter("released a"::equals).count()).isEqualTo(taken);
            if (told.calls.contains("given up a")) {
                assertThat(told.calls).contains("waiting a");
                waited++;
            }
        }
        assertThat(waited).isPositive();
    }
}
