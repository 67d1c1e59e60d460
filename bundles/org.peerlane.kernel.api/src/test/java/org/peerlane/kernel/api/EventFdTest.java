package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class EventFdTest {
    private final EventFd event = new EventFd();

    @Test
    void countsUntilItIsRead() {
        assertThatThrownBy(event::read).hasMessageContaining("EAGAIN");
        event.signal();
        event.signal();
        assertThat(event.poll(OpenFile.POLLIN | OpenFile.POLLOUT))
                .isEqualTo(OpenFile.POLLIN | OpenFile.POLLOUT);
        assertThat(event.read()).isEqualTo(2);
        assertThat(event.poll(OpenFile.POLLIN)).isZero();
        assertThat(event.take()).isZero();
    }

    @Test
    void wakesEachWaiterOnce() {
        AtomicInteger woken = new AtomicInteger();
        AtomicInteger cancelled = new AtomicInteger();
        OpenFile.PollWaiter waiter = woken::incrementAndGet;
        OpenFile.PollWaiter other = cancelled::incrementAndGet;
        assertThat(event.poll(OpenFile.POLLIN, waiter)).isZero();
        assertThat(event.poll(OpenFile.POLLIN, other)).isZero();
        assertThat(event.cancelPoll(other)).isTrue();
        event.signal();
        event.signal();
        assertThat(woken).hasValue(1);
        assertThat(cancelled).hasValue(0);
        assertThat(event.cancelPoll(waiter)).isFalse();
        assertThat(event.poll(OpenFile.POLLIN, waiter)).as("at once").isEqualTo(OpenFile.POLLIN);
    }

    @Test
    void aWaiterMayWaitAgainFromInside() {
        AtomicInteger woken = new AtomicInteger();
        OpenFile.PollWaiter[] waiter = new OpenFile.PollWaiter[1];
        waiter[0] =
                () -> {
                    woken.incrementAndGet();
                    event.poll(OpenFile.POLLIN, waiter[0]);
                };
        event.poll(OpenFile.POLLIN, waiter[0]);
        event.signal();
        event.signal();
        assertThat(woken).hasValue(2);
    }
}
