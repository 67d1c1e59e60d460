package org.peerlane.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Waiting for another thread")
class AwaitTest {
    @Test
    void itEndsWhenItIsSo() throws Exception {
        AtomicInteger number = new AtomicInteger();
        Thread other = Thread.ofPlatform().start(number::incrementAndGet);
        Await.until("a number", () -> number.get() == 1);
        assertThat(number).hasValue(1);
        other.join();
    }

    @Test
    void itEndsWhenTheTestIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> Await.until("what never comes", () -> false))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("what never comes");
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void aThreadIsSeenToWait() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Thread other =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                go.await();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                        });
        Await.untilWaits(other);
        assertThat(other.getState()).isEqualTo(Thread.State.WAITING);
        go.countDown();
        other.join();
    }

    @Test
    void aThreadThatHasEndedNeverWaits() throws Exception {
        Thread other = Thread.ofPlatform().name("brief").start(() -> {});
        other.join();
        assertThatThrownBy(() -> Await.untilWaits(other))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("brief");
    }
}
