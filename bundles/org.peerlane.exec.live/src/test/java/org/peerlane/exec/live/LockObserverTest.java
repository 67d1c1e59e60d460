package org.peerlane.exec.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;

class LockObserverTest {
    private final LiveExecution execution = new LiveExecution("observed");
    private final Told told = new Told();

    /** Writes down what it is told. */
    static final class Told implements LockObserver {
        final List<String> calls = new CopyOnWriteArrayList<>();

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

    @Test
    void aLockMadeBeforeAnybodyObservesIsThePlainOneAndTellsNothing() {
        NamedLock before = execution.lock("before");
        execution.observeLocks(told);
        before.lock();
        before.unlock();
        assertThat(before).isExactlyInstanceOf(LiveLock.class);
        assertThat(told.calls).isEmpty();
    }

    @Test
    void theFirstTakeAndTheLastReleaseAreToldOfEveryWayToTakeIt() throws Exception {
        execution.observeLocks(told);
        NamedLock lock = execution.lock("a");
        lock.lock();
        lock.lock();
        assertThat(lock.tryLock()).isTrue();
        lock.unlock();
        lock.unlock();
        assertThat(told.calls).containsExactly("acquiring a", "acquired a");
        lock.unlock();
        assertThat(told.calls).endsWith("released a").hasSize(3);
        told.calls.clear();
        assertThat(lock.tryLock()).isTrue();
        lock.unlock();
        assertThat(told.calls).containsExactly("acquired a", "released a");
        told.calls.clear();
        lock.lockInterruptibly();
        lock.unlock();
        assertThat(lock.tryLock(1, TimeUnit.SECONDS)).isTrue();
        lock.unlock();
        assertThat(told.calls)
                .containsExactly(
                        "acquiring a",
                        "acquired a",
                        "released a",
                        "acquiring a",
                        "acquired a",
                        "released a");
    }

    @Test
    void aWaitIsToldAndThatItWasInVain() throws Exception {
        execution.observeLocks(told);
        NamedLock lock = execution.lock("a");
        lock.lock();
        assertThat(lock.holder()).isSameAs(Thread.currentThread());
        told.calls.clear();
        execution
                .start(
                        ThreadKind.BLOCKING,
                        "other",
                        () -> {
                            try {
                                assertThat(lock.tryLock(1, TimeUnit.NANOSECONDS)).isFalse();
                                Thread.currentThread().interrupt();
                                lock.lockInterruptibly();
                            } catch (InterruptedException e) {
                                told.calls.add("interrupted");
                            }
                        })
                .join();
        assertThat(told.calls)
                .containsExactly(
                        "acquiring a",
                        "waiting a",
                        "given up a",
                        "acquiring a",
                        "waiting a",
                        "given up a",
                        "interrupted");
        lock.unlock();
        assertThat(lock.holder()).isNull();
    }

    @Test
    void whoStopsObservingIsToldNothingMoreAndSoIsOneWhoseExecutionCloses() {
        LockObservation observation = execution.observeLocks(told);
        NamedLock lock = execution.lock("a");
        observation.close();
        lock.lock();
        lock.unlock();
        assertThat(told.calls).isEmpty();
        assertThat(execution.lock("b")).isExactlyInstanceOf(LiveLock.class);
        execution.observeLocks(told);
        NamedLock later = execution.lock("c");
        execution.close();
        later.lock();
        later.unlock();
        assertThat(told.calls).isEmpty();
    }
}
