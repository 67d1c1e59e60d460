package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;
import org.peerlane.dmabuf.api.Reservation;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.testkit.Explore;
import org.peerlane.testkit.Rule;

/** Waiting for fences: FE-10. */
@Rule("FE-10")
class FenceWaitTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final FenceMachine machine = new FenceMachine(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    private static org.assertj.core.api.ThrowableAssert.ThrowingCallable call(Runnable body) {
        return body::run;
    }

    private static void assertFails(Errno errno, Runnable body) {
        assertThatThrownBy(call(body))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void aNegativeLimitIsInvalid() {
        CoreFence fence = machine.next();
        assertFails(Errno.EINVAL, () -> fence.waitTimeout(true, -1));
        assertFails(Errno.EINVAL, () -> machine.fences.waitAny(List.of(fence), true, -1));
    }

    @Test
    void aLimitOfZeroOnlyLooks() {
        CoreFence fence = machine.next();
        assertThat(fence.waitTimeout(true, 0)).isZero();
        assertThat(machine.fences.waitAny(List.of(fence), true, 0)).isEqualTo(-1);
        fence.signal();
        assertThat(fence.waitTimeout(true, 0)).isEqualTo(1);
        assertThat(machine.fences.waitAny(List.of(fence), true, 0)).isZero();
        assertThat(fence.waitTimeout(true, 500)).isEqualTo(500);
    }

    @Test
    void whoWaitsAsksTheIssuerToSignal() {
        machine.issuer.pending = false;
        assertThat(machine.next().waitTimeout(true, Reservation.NO_LIMIT))
                .isEqualTo(Reservation.NO_LIMIT);
        assertThat(machine.issuer.calls).containsExactly("enable");
    }

    @Test
    void anInterruptThatIsPendingEndsTheWaitUnlessItHasSignaled() {
        CoreFence fence = machine.next();
        Thread.currentThread().interrupt();
        try {
            assertFails(Errno.ERESTARTSYS, () -> fence.waitTimeout(true, 1_000_000_000));
            assertFails(
                    Errno.ERESTARTSYS,
                    () -> machine.fences.waitAny(List.of(fence), true, 1_000_000_000));
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            fence.signal();
            assertThat(fence.waitTimeout(true, 7)).isEqualTo(7);
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void anIssuerThatWaitsInItsOwnWayIsAsked() {
        class OwnWay extends FenceMachine.Issuer implements FenceOperations.Waiting {
            @Override
            public long waitTimeout(Fence fence, boolean interruptible, long timeoutNanos) {
                calls.add("wait " + interruptible + " " + timeoutNanos);
                fence.signal();
                return 42;
            }
        }
        OwnWay issuer = new OwnWay();
        Fence fence = machine.fences.create(issuer, machine.context, 1);
        assertThat(fence.waitTimeout(true, 99)).isEqualTo(42);
        assertThat(issuer.calls).containsExactly("enable", "wait true 99");
        assertThat(fence.driverName()).isEqualTo("gpu0");
    }

    @Test
    void aWaitForTheFirstOfNoFencesIsInvalid() {
        assertFails(Errno.EINVAL, () -> machine.fences.waitAny(List.of(), true, 1));
    }

    @Test
    void aWaitThatEndsLeavesNoCallbackBehind() {
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        assertThat(a.waitTimeout(true, 1)).isZero();
        assertThat(machine.fences.waitAny(List.of(a, b), true, 1)).isEqualTo(-1);
        b.signal();
        assertThat(machine.fences.waitAny(List.of(a, b), true, 1_000)).isEqualTo(1);
        assertThat(a.isAwaited()).isFalse();
    }

    @Explore(schedules = 10_000)
    void theFirstOfSeveralWakesTheWaiter(Execution simulated) throws InterruptedException {
        FenceMachine of = new FenceMachine(simulated, false, "7.3");
        CoreFence a = of.alone();
        CoreFence b = of.alone();
        CoreFence c = of.alone();
        int[] first = {-2};
        EmulatedThread waiter =
                simulated.start(
                        ThreadKind.BLOCKING,
                        "waiter",
                        () -> {
                            first[0] =
                                    of.fences.waitAny(List.of(a, b, c), true, Reservation.NO_LIMIT);
                            assertThat(List.of(a, b, c).get(first[0]).isSignaled()).isTrue();
                        });
        EmulatedThread other = simulated.start(ThreadKind.BLOCKING, "other", c::signal);
        b.signal();
        waiter.join();
        other.join();
        assertThat(first[0]).isIn(1, 2);
        assertThat(a.isAwaited()).isFalse();
    }
}
