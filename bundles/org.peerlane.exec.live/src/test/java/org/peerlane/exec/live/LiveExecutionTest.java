package org.peerlane.exec.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.api.Timer;
import org.peerlane.exec.api.Work;

@DisplayName("Live execution")
@Timeout(30)
class LiveExecutionTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private final LiveExecution execution = new LiveExecution("test.bundle");

    @AfterEach
    void close() {
        execution.close();
    }

    @ParameterizedTest
    @CsvSource({"BLOCKING, true", "POLLING, false"})
    void theKindDecidesWhatCarriesTheThread(ThreadKind kind, boolean virtual)
            throws InterruptedException {
        AtomicReference<@Nullable Thread> ran = new AtomicReference<>(null);
        EmulatedThread thread =
                execution.start(kind, "edu0.dma", () -> ran.set(Thread.currentThread()));
        thread.join();
        Thread carried = Objects.requireNonNull(ran.get());
        assertThat(carried.isVirtual()).isEqualTo(virtual);
        assertThat(carried.getName()).isEqualTo("test.bundle/edu0.dma");
        assertThat(thread.name()).isEqualTo("edu0.dma");
        assertThat(thread.isAlive()).isFalse();
        assertThat(thread.failure()).isEmpty();
    }

    @Test
    void whatABodyThrowsIsKept() throws InterruptedException {
        IllegalStateException planted = new IllegalStateException("planted");
        EmulatedThread thread =
                execution.start(
                        ThreadKind.BLOCKING,
                        "dies",
                        () -> {
                            throw planted;
                        });
        assertThat(thread.join(10 * SECOND)).isTrue();
        assertThat(thread.failure()).containsSame(planted);
        assertThat(execution.alive()).isEmpty();
    }

    @Test
    void aTimedJoinGivesUpOnAThreadThatWaits() throws InterruptedException {
        Doorbell never = new Doorbell(execution, "never");
        EmulatedThread thread = execution.start(ThreadKind.BLOCKING, "w", quietly(never::await));
        assertThat(thread.join(1_000_000)).isFalse();
        assertThat(execution.alive()).containsExactly("w");
        thread.interrupt();
        thread.join();
    }

    @Test
    void aTimerRunsOnceAfterItsDelay() throws InterruptedException {
        Doorbell ran = new Doorbell(execution, "ran");
        long before = execution.nanoTime();
        Timer timer = execution.schedule("t", 5_000_000, ran::ring);
        ran.await();
        assertThat(execution.nanoTime() - before).isGreaterThanOrEqualTo(5_000_000);
        assertThat(timer.cancel()).isFalse();
        assertThat(ran.poll()).isFalse();
    }

    @Test
    void aCancelledTimerNeverRunsAndALaterOneStillDoes() throws InterruptedException {
        AtomicBoolean ran = new AtomicBoolean();
        Doorbell later = new Doorbell(execution, "later");
        Timer timer = execution.schedule("t", 5_000_000, () -> ran.set(true));
        assertThat(timer.cancel()).isTrue();
        assertThat(timer.cancel()).isFalse();
        execution.schedule("later", 10_000_000, later::ring);
        later.await();
        assertThat(ran).isFalse();
    }

    @Test
    void aTimerThatRunsAlreadyIsTooLateToCancel() throws InterruptedException {
        Doorbell begun = new Doorbell(execution, "begun");
        CountDownLatch goOn = new CountDownLatch(1);
        Timer timer =
                execution.schedule(
                        "t",
                        0,
                        quietly(() -> {
                            begun.ring();
                            goOn.await();
                        }));
        begun.await();
        assertThat(timer.cancel()).isFalse();
        goOn.countDown();
    }

    @Test
    void aTimerThatThrowsDoesNotStopTheOthers() throws InterruptedException {
        Doorbell ran = new Doorbell(execution, "ran");
        execution.schedule(
                "bad",
                0,
                () -> {
                    throw new IllegalStateException("planted");
                });
        execution.schedule("good", 1_000, ran::ring);
        assertThat(ran.await(10 * SECOND)).isTrue();
    }

    @Test
    void closingInterruptsThreadsCancelsTimersAndRefusesNewWork() {
        AtomicBoolean timerRan = new AtomicBoolean();
        Doorbell never = new Doorbell(execution, "never");
        EmulatedThread thread =
                execution.start(ThreadKind.BLOCKING, "engine", quietly(never::await));
        Timer timer = execution.schedule("t", 3_600 * SECOND, () -> timerRan.set(true));
        execution.close();
        assertThat(thread.isAlive()).isFalse();
        assertThat(execution.alive()).isEmpty();
        assertThat(timerRan).isFalse();
        assertThat(timer.cancel()).isTrue();
        assertThatIllegalStateException()
                .isThrownBy(() -> execution.start(ThreadKind.BLOCKING, "late", () -> {}))
                .withMessageContaining("late")
                .withMessageContaining("test.bundle");
        assertThatIllegalStateException().isThrownBy(() -> execution.schedule("late", 0, () -> {}));
    }

    @Test
    void aThreadThatIgnoresItsInterruptIsReported() throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        EmulatedThread stubborn =
                execution.start(
                        ThreadKind.POLLING,
                        "stubborn",
                        () -> {
                            while (!stop.get()) {
                                LockSupport.parkNanos(stop, 1_000_000);
                            }
                        });
        execution.close();
        assertThat(execution.alive()).containsExactly("stubborn");
        stop.set(true);
        stubborn.join();
        assertThat(execution.alive()).isEmpty();
    }

    private static Work thread(String name) {
        return new Work("test.bundle", Work.Kind.THREAD, name);
    }

    private static Work timer(String name) {
        return new Work("test.bundle", Work.Kind.TIMER, name);
    }

    @Test
    void workIsWhatHasNotEndedFiredOrBeenCancelled() throws InterruptedException {
        Doorbell never = new Doorbell(execution, "never");
        Doorbell fired = new Doorbell(execution, "fired");
        EmulatedThread engine =
                execution.start(ThreadKind.BLOCKING, "engine", quietly(never::await));
        Timer late = execution.schedule("late", 3_600 * SECOND, () -> {});
        execution.schedule("soon", 0, fired::ring);
        fired.await();
        Doorbell next = new Doorbell(execution, "next"); // the one before has ended when it fires
        execution.schedule("next", 0, next::ring);
        next.await();
        assertThat(execution.work())
                .contains(thread("engine"), timer("late"))
                .doesNotContain(timer("soon"));
        assertThat(execution.awaitEnd(1_000_000)).contains(thread("engine"), timer("late"));
        late.cancel();
        engine.interrupt();
        assertThat(execution.awaitEnd(10 * SECOND)).doesNotContain(thread("engine"), timer("late"));
    }

    @Test
    void closingLeavesNoWork() {
        execution.schedule("late", 3_600 * SECOND, () -> {});
        execution.start(ThreadKind.BLOCKING, "w", quietly(new Doorbell(execution, "never")::await));
        execution.close();
        assertThat(execution.work()).isEmpty();
    }

    @Test
    void timeNeverGoesBackAndSleepLetsItPass() throws InterruptedException {
        long before = execution.nanoTime();
        execution.sleep(2_000_000);
        execution.sleep(0);
        assertThat(execution.nanoTime() - before).isGreaterThanOrEqualTo(2_000_000);
    }

    interface Waiting {
        void run() throws InterruptedException;
    }

    static Runnable quietly(Waiting body) {
        return () -> {
            try {
                body.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
    }
}
