package org.peerlane.exec.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;

@DisplayName("Live doorbell")
@Timeout(60)
class LiveDoorbellTest {
    private final LiveExecution execution = new LiveExecution("test.bundle");
    private final Doorbell bell = new Doorbell(execution, "bell");

    @AfterEach
    void close() {
        execution.close();
    }

    @Test
    void ringsBeforeTheWaitAreOneWake() throws InterruptedException {
        bell.ring();
        bell.ring();
        bell.await();
        assertThat(bell.await(0)).isFalse();
        assertThat(bell.await(1_000_000)).isFalse();
    }

    @Test
    void anInterruptEndsTheWaitAndKeepsTheRing() {
        bell.ring();
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(InterruptedException.class).isThrownBy(bell::await);
        assertThat(bell.poll()).isTrue();
    }

    /** The tail is a plain field: the bell alone must make it visible, and lose no wake. */
    @Test
    void whatWasWrittenBeforeARingIsSeenAfterTheWake() throws InterruptedException {
        int last = 200_000;
        int[] tail = new int[1];
        AtomicBoolean sawAll = new AtomicBoolean();
        EmulatedThread engine =
                execution.start(
                        ThreadKind.BLOCKING,
                        "engine",
                        LiveExecutionTest.quietly(() -> {
                            while (tail[0] != last) {
                                bell.await();
                            }
                            sawAll.set(true);
                        }));
        for (int i = 1; i <= last; i++) {
            tail[0] = i;
            bell.ring();
        }
        engine.join();
        assertThat(sawAll).isTrue();
        assertThat(engine.failure()).isEmpty();
    }
}
