package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.core.fence.FenceMachine.Counter;
import org.peerlane.dmabuf.core.fence.FenceMachine.ReleasingIssuer;
import org.peerlane.exec.api.EmulatedThread;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

/** What is left of an owner's fences when the owner leaves, and who they are before that. */
class FenceDepartureTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final FenceMachine machine = new FenceMachine(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    private boolean depart() throws InterruptedException {
        machine.fences.depart(Errno.ENODEV);
        return machine.fences.awaitDeparted(0);
    }

    @Test
    @Rule("FE-40")
    void everyFenceThatOthersKnowSignalsWithTheErrorInTheOrderOfItsTimeline()
            throws InterruptedException {
        List<Long> order = new ArrayList<>();
        List<CoreFence> fences = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            CoreFence fence = machine.next();
            fence.addCallback(new Counter(() -> order.add(fence.seqno())));
            fences.add(fence);
        }
        CoreFence fine = fences.remove(0);
        fine.signal();
        assertThat(depart()).isTrue();
        assertThat(order).isSorted().hasSize(100);
        assertThat(fences).extracting(Fence::status).containsOnly(-Errno.ENODEV.number());
        assertThat(fine.status()).isEqualTo(1);
        assertThat(machine.broken()).isEmpty();
        assertThat(machine.fences.live.list()).isEmpty();
    }

    @Test
    @Rule("FE-12")
    void theIssuerIsNeverCalledAgain() throws InterruptedException {
        ReleasingIssuer issuer = new ReleasingIssuer();
        Fence signaled = machine.fences.create(issuer, machine.context, 1);
        Fence pending = machine.fences.create(issuer, machine.context, 2);
        Fence unseen = machine.fences.create(issuer, machine.context, 3);
        signaled.signal();
        pending.enableSignaling();
        issuer.calls.clear();
        depart();
        for (Fence fence : List.of(signaled, pending, unseen)) {
            fence.setDeadline(1);
            assertThat(fence.isSignaled()).isTrue();
            assertThat(fence.driverName()).isEqualTo("detached-driver");
            assertThat(fence.timelineName()).isEqualTo("signaled-timeline");
            fence.put();
        }
        assertThat(issuer.calls).isEmpty();
    }

    @Test
    void aFenceOfADepartedOwnerSignalsAsSoonAsSomebodyWaits() throws InterruptedException {
        CoreFence early = machine.next();
        depart();
        CoreFence late = machine.alone();
        assertThat(early.addCallback(new Counter())).isFalse();
        late.published();
        assertThat(early.error()).isEqualTo(Errno.ENODEV);
        assertThat(late.error()).isEqualTo(Errno.ENODEV);
        assertThat(machine.fences.live.list()).isEmpty();
    }

    @Test
    void aDepartureWaitsUntilNobodyIsInsideTheOwnersOperationsUpToALimit()
            throws InterruptedException {
        var latch = new java.util.concurrent.CountDownLatch(1);
        var inside = new java.util.concurrent.CountDownLatch(1);
        var issuer =
                new FenceMachine.Issuer() {
                    @Override
                    public String driverName() {
                        inside.countDown();
                        try {
                            latch.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                        return "slow";
                    }
                };
        Fence fence = machine.fences.create(issuer, machine.context, 1);
        EmulatedThread asking = execution.start(ThreadKind.BLOCKING, "asking", fence::driverName);
        inside.await();
        machine.fences.depart(Errno.ENODEV);
        assertThat(machine.fences.awaitDeparted(1_000)).isFalse();
        latch.countDown();
        asking.join();
        assertThat(depart()).isTrue();
    }

    @Test
    void aContainerOutlivesWhoMadeItAndSignalsWithItsMembers() throws InterruptedException {
        CoreFences other = new CoreFences(machine.environment, "merger");
        CoreFence a = machine.alone();
        CoreFence b = machine.alone();
        Fence merged = other.merge(List.of(a, b));
        merged.enableSignaling();
        other.depart(Errno.ENODEV);
        assertThat(merged.isSignaled()).isFalse();
        a.signal();
        depart();
        assertThat(merged.status()).isEqualTo(-Errno.ENODEV.number());
    }

    @Test
    @Rule("CK-31")
    void nobodyIsWatchedAnyMore() throws InterruptedException {
        try (LiveExecution own = new LiveExecution("watched")) {
            FenceMachine watched = new FenceMachine(own, true, "7.3");
            CoreFence fence = watched.alone();
            fence.published(); // the watchdog wakes
            assertThat(own.awaitEnd(0)).isNotEmpty();
            fence.signal();
            fence.put();
            watched.fences.depart(Errno.ENODEV);
            assertThat(own.awaitEnd(0)).isEmpty();
        }
    }

    @Test
    void callbacksOfOneWhoHasLeftNeverRunAndTheOthersDoInOrder() {
        Counter[] counters = new Counter[6];
        List<Integer> order = new ArrayList<>();
        CoreFence fence = machine.alone();
        for (int i = 0; i < counters.length; i++) {
            int number = i;
            counters[i] = new Counter(() -> order.add(number));
            fence.addCallback(counters[i]);
        }
        Set<Object> gone = Set.of(counters[0], counters[2], counters[3], counters[5]);
        assertThat(machine.environment.forgetCallbacks(gone::contains)).isEqualTo(4);
        assertThat(fence.removeCallback(counters[2])).isFalse();
        fence.signal();
        assertThat(order).containsExactlyInAnyOrder(1, 4);
        assertThat(machine.alone().addCallback(counters[2])).isTrue();
    }

    @Test
    void ofAFenceWhoseOnlyCallbackHasLeftNobodyIsToldAndASecondIs() {
        Counter gone = new Counter();
        Counter other = new Counter();
        CoreFence fence = machine.alone();
        fence.addCallback(gone);
        machine.environment.forgetCallbacks(callback -> callback.equals(gone));
        assertThat(fence.addCallback(other)).isTrue();
        fence.signal();
        assertThat(gone.runs).isZero();
        assertThat(other.runs).isEqualTo(1);
    }

    @Test
    void theUnsignaledFencesThatOthersKnowAreListedByTimeline() {
        CoreFence first = machine.next();
        CoreFence second = machine.next();
        CoreFence other = machine.alone();
        machine.next();
        other.published();
        second.published();
        first.enableSignaling();
        assertThat(machine.fences.unsignaled()).containsExactly(first, second, other);
        assertThat(second.publishedAt()).isGreaterThanOrEqualTo(other.publishedAt());
        second.signal();
        assertThat(machine.fences.unsignaled()).containsExactly(first, other);
    }

    @Test
    void manyFencesAreListedAndNoSlotIsLost() {
        List<CoreFence> fences = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 1_000; i++) {
                CoreFence fence = machine.alone();
                fence.published();
                fences.add(fence);
            }
            assertThat(machine.fences.unsignaled()).isEqualTo(fences);
            fences.removeIf(fence -> fence.context() % 3 != 0 && fence.signal());
            assertThat(machine.fences.unsignaled()).isEqualTo(fences);
        }
    }
}
