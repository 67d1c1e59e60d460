package org.peerlane.exec.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.peerlane.exec.api.Checkpoint;
import org.peerlane.exec.api.Checkpoints.Armed;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;

@DisplayName("Live execution")
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class LiveExecutionTest {
    private final LiveExecution execution = new LiveExecution("test");

    @AfterEach
    void close() {
        execution.close();
    }

    @ParameterizedTest
    @EnumSource
    void runsAThreadOfItsNameAndKind(ThreadKind kind) throws InterruptedException {
        Thread[] ran = new Thread[1];
        EmulatedThread thread =
                execution.start(kind, "edu0.dma", () -> ran[0] = Thread.currentThread());
        thread.join();
        assertThat(ran[0].getName()).isEqualTo("edu0.dma");
        assertThat(ran[0].isVirtual()).isEqualTo(kind == ThreadKind.BLOCKING);
        assertThat(thread.isAlive()).isFalse();
    }

    @Test
    void keepsWhatABodyThrew() throws InterruptedException {
        EmulatedThread thread =
                execution.start(
                        ThreadKind.BLOCKING,
                        "thrower",
                        () -> {
                            throw new IllegalStateException("boom");
                        });
        thread.join();
        assertThat(thread.failure()).get().isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closeInterruptsWhatStillRuns() {
        var ended = new AtomicBoolean();
        execution.start(
                ThreadKind.BLOCKING,
                "sleeper",
                () -> {
                    try {
                        execution.sleep(Long.MAX_VALUE / 2);
                    } catch (InterruptedException e) {
                        ended.set(true);
                    }
                });
        assertThat(execution.threads()).containsExactly("sleeper");
        execution.close();
        assertThat(ended).isTrue();
        assertThat(execution.threads()).isEmpty();
    }

    @Test
    void aTimerRunsOnceAndACancelledOneNever() throws InterruptedException {
        var ran = new CountDownLatch(1);
        var never = new AtomicBoolean();
        var cancelled = execution.schedule("never", 3_600_000_000_000L, () -> never.set(true));
        execution.schedule("once", 1_000_000, ran::countDown);
        assertThat(cancelled.cancel()).isTrue();
        assertThat(cancelled.cancel()).isFalse();
        ran.await();
        assertThat(never).isFalse();
    }

    @Test
    void joinWithALimitSaysWhetherTheThreadHasEnded() throws InterruptedException {
        var bell = new Doorbell(execution, "bell");
        EmulatedThread thread =
                execution.start(
                        ThreadKind.BLOCKING,
                        "waiter",
                        () -> {
                            try {
                                bell.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        assertThat(thread.join(1_000_000)).isFalse();
        bell.ring();
        assertThat(thread.join(10_000_000_000L)).isTrue();
        assertThat(thread.failure()).isEmpty();
    }

    @Test
    void anArmedCheckpointActsAndADisarmedOneDoesNot() {
        Checkpoint point = execution.checkpoint("here");
        var hits = new AtomicInteger();
        Armed armed = execution.checkpoints().arm("here", hits::incrementAndGet);
        point.reached();
        assertThat(armed.hits()).isEqualTo(1);
        armed.close();
        point.reached();
        assertThat(hits).hasValue(1);
        assertThat(execution.checkpoint("here")).isSameAs(point);
        assertThat(execution.checkpoints().names()).contains("here");
    }

    @Test
    void whatAnArmedActionThrowsComesOutOfTheCheckpoint() {
        try (Armed armed =
                execution
                        .checkpoints()
                        .arm(
                                "fail",
                                () -> {
                                    throw new IllegalStateException("injected");
                                })) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> execution.checkpoint("fail").reached())
                    .withMessage("injected");
            assertThat(armed.hits()).isEqualTo(1);
        }
    }
}
