package org.peerlane.dmabuf.core.fence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceCallback;
import org.peerlane.dmabuf.core.fence.FenceMachine.Counter;
import org.peerlane.dmabuf.core.fence.FenceMachine.ReleasingIssuer;
import org.peerlane.exec.live.LiveExecution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.testkit.Rule;

/** One fence on one thread. */
class CoreFenceTest {
    private final LiveExecution execution = new LiveExecution("test");
    private final FenceMachine machine = new FenceMachine(execution);

    @AfterEach
    void close() {
        execution.close();
    }

    @Test
    @Rule("FE-2")
    void aNewFenceIsUnsignaledAndHasOneHolderAndNoTime() {
        CoreFence fence = machine.next();
        assertThat(fence.isSignaled()).isFalse();
        assertThat(fence.status()).isZero();
        assertThat(fence.timestamp()).isZero();
        assertThat(fence.references()).isEqualTo(1);
        assertThat(fence.isSeqno64()).isFalse();
    }

    @Test
    @Rule("FE-1")
    void noTwoOwnersGetTheSameTimeline() {
        CoreFences other = new CoreFences(machine.environment, "nvme");
        long three = machine.fences.allocateContexts(3);
        assertThat(other.allocateContexts(1)).isEqualTo(three + 3);
    }

    @Test
    @Rule("FE-4")
    void signalRunsTheCallbacksInTheOrderInWhichTheyCameOnThisThread() {
        List<String> ran = new ArrayList<>();
        CoreFence fence = machine.next();
        for (String name : List.of("a", "b", "c")) {
            fence.addCallback(
                    new Counter(() -> ran.add(name + " on " + Thread.currentThread().getName())));
        }
        assertThat(fence.signal()).isTrue();
        String here = Thread.currentThread().getName();
        assertThat(ran).containsExactly("a on " + here, "b on " + here, "c on " + here);
    }

    @Test
    @Rule("FE-4")
    void aSecondSignalDoesNothing() {
        Counter counter = new Counter();
        CoreFence fence = machine.next();
        fence.addCallback(counter);
        assertThat(fence.signalTimestamp(17)).isTrue();
        assertThat(fence.signalTimestamp(18)).isFalse();
        assertThat(fence.timestamp()).isEqualTo(17);
        assertThat(counter.runs).isEqualTo(1);
        assertThat(machine.broken()).isEmpty();
    }

    @Test
    @Rule("FE-4")
    void aCallbackThatThrowsIsReportedAndTheOthersStillRun() {
        Counter after = new Counter();
        CoreFence fence = machine.next();
        fence.addCallback(
                new Counter(() -> {
                    throw new IllegalStateException("oops");
                }));
        fence.addCallback(after);
        fence.signal();
        assertThat(after.runs).isEqualTo(1);
        assertThat(machine.broken()).containsExactly("FE-4");
        assertThat(machine.lastSentence()).contains("oops");
    }

    @Test
    @Rule("FE-4")
    @Rule("CK-40")
    void aCallbackThatWaitsIsReported() {
        CoreFence signaled = machine.alone();
        signaled.signal();
        CoreFence fence = machine.next();
        fence.addCallback(new Counter(() -> signaled.waitTimeout(false, 1)));
        fence.signal();
        assertThat(machine.broken()).containsExactly("CK-40");
    }

    @Test
    @Rule("FE-5")
    void theStatusIsTheErrorOnceItHasSignaled() {
        CoreFence fence = machine.next();
        fence.setError(Errno.EIO);
        assertThat(fence.status()).isZero();
        assertThat(fence.error()).isNull();
        fence.signal();
        assertThat(fence.status()).isEqualTo(-5);
        assertThat(fence.error()).isEqualTo(Errno.EIO);
        CoreFence fine = machine.next();
        fine.signal();
        assertThat(fine.status()).isEqualTo(1);
    }

    @Test
    @Rule("FE-5")
    @Rule("CK-39")
    void anErrorAfterTheSignalIsReportedAndChangesNothing() {
        CoreFence fence = machine.next();
        fence.signal();
        assertThatThrownBy(() -> fence.setError(Errno.EIO))
                .isInstanceOf(IllegalStateException.class);
        assertThat(fence.status()).isEqualTo(1);
        assertThat(machine.broken()).containsExactly("CK-39");
    }

    @Test
    @Rule("FE-6")
    void aCallbackOfASignaledFenceIsRefusedAndNeverRuns() {
        Counter counter = new Counter();
        CoreFence fence = machine.next();
        fence.signal();
        assertThat(fence.addCallback(counter)).isFalse();
        assertThat(counter.runs).isZero();
        CoreFence other = machine.next();
        assertThat(other.addCallback(counter)).isTrue();
        other.signal();
        assertThat(counter.runs).isEqualTo(1);
    }

    @Test
    @Rule("FE-7")
    void aRemovedCallbackNeverRunsAndTheOthersDo() {
        List<Counter> counters = List.of(new Counter(), new Counter(), new Counter());
        for (int removed = 0; removed < 3; removed++) {
            CoreFence fence = machine.next();
            int before = counters.get(removed).runs;
            counters.forEach(fence::addCallback);
            assertThat(fence.removeCallback(counters.get(removed))).isTrue();
            assertThat(fence.removeCallback(counters.get(removed))).isFalse();
            fence.signal();
            assertThat(counters.get(removed).runs).isEqualTo(before);
            assertThat(fence.removeCallback(counters.get((removed + 1) % 3))).isFalse();
        }
        assertThat(counters).extracting(counter -> counter.runs).containsExactly(2, 2, 2);
    }

    @Test
    @Rule("FE-7")
    void removingFromACallbackOfTheSameFenceIsReportedAndDoesNotHang() {
        CoreFence fence = machine.next();
        Counter other = new Counter();
        fence.addCallback(new Counter(() -> fence.removeCallback(other)));
        fence.addCallback(other);
        fence.signal();
        assertThat(machine.broken()).containsExactly("FE-7");
        assertThat(other.runs).isEqualTo(1);
    }

    @Test
    @Rule("CK-41")
    void aCallbackThatWaitsForAFenceCannotWaitForAnother() {
        Counter counter = new Counter();
        machine.next().addCallback(counter);
        CoreFence other = machine.alone();
        assertThatThrownBy(() -> other.addCallback(counter))
                .isInstanceOf(IllegalStateException.class);
        assertThat(machine.broken()).containsExactly("CK-41");
    }

    @Test
    @Rule("FE-8")
    void theIssuerIsAskedToSignalOnceAndOnlyWhenSomebodyWaits() {
        CoreFence fence = machine.next();
        fence.isSignaled();
        assertThat(machine.issuer.calls).isEmpty();
        fence.addCallback(new Counter());
        fence.addCallback(new Counter());
        fence.enableSignaling();
        assertThat(machine.issuer.calls).containsExactly("enable");
        CoreFence signaled = machine.next();
        signaled.signal();
        signaled.enableSignaling();
        assertThat(machine.issuer.calls).containsExactly("enable");
    }

    @Test
    @Rule("FE-8")
    void anIssuerThatHasNothingToWaitForSignalsAtOnce() {
        machine.issuer.pending = false;
        CoreFence fence = machine.next();
        assertThat(fence.addCallback(new Counter())).isFalse();
        assertThat(fence.isSignaled()).isTrue();
    }

    @Test
    @Rule("FE-9")
    void whoAsksWhetherItHasSignaledAsksTheIssuer() {
        Counter counter = new Counter();
        CoreFence fence = machine.next();
        fence.addCallback(counter);
        assertThat(fence.isSignaled()).isFalse();
        machine.issuer.done = true;
        assertThat(fence.isSignaled()).isTrue();
        assertThat(counter.runs).isEqualTo(1);
    }

    @Test
    @Rule("FE-11")
    @Rule("CK-38")
    void theLastPutOfAnUnsignaledFenceThatSomebodyWaitsForSignalsDeadlock() {
        Counter counter = new Counter();
        CoreFence fence = machine.next();
        fence.addCallback(counter);
        fence.put();
        assertThat(machine.broken()).containsExactly("CK-38");
        assertThat(counter.runs).isEqualTo(1);
        assertThat(fence.error()).isEqualTo(Errno.EDEADLK);
    }

    @Test
    @Rule("CK-38")
    void theLastPutOfAPublishedFenceIsReportedAndOfAPrivateOneIsFine() {
        machine.next().put();
        assertThat(machine.broken()).isEmpty();
        CoreFence fence = machine.next();
        fence.published();
        fence.put();
        assertThat(machine.broken()).containsExactly("CK-38");
    }

    @Test
    @Rule("FE-11")
    @Rule("FE-12")
    void anIssuerWithReleaseIsToldOfTheLastReferenceAndKeepsItsName() {
        ReleasingIssuer issuer = new ReleasingIssuer();
        Fence fence = machine.fences.create(issuer, machine.context, 1);
        fence.signal();
        assertThat(fence.driverName()).isEqualTo("gpu0");
        assertThat(fence.timelineName()).isEqualTo("copy");
        fence.get().put();
        assertThat(issuer.calls).isEmpty();
        fence.put();
        assertThat(issuer.calls).containsExactly("release");
    }

    @Test
    @Rule("FE-12")
    void aSignaledFenceForgetsItsIssuerFrom71On() {
        for (String profile : List.of("6.14", "7.0", "7.1", "7.3")) {
            FenceMachine of = new FenceMachine(execution, true, profile);
            CoreFence fence = of.next();
            assertThat(fence.driverName()).isEqualTo("gpu0");
            fence.signal();
            boolean forgets = !profile.equals("6.14") && !profile.equals("7.0");
            assertThat(fence.driverName()).isEqualTo(forgets ? "detached-driver" : "gpu0");
            assertThat(fence.timelineName()).isEqualTo(forgets ? "signaled-timeline" : "copy");
        }
    }

    @Test
    @Rule("FE-14")
    void theStubHasAlwaysBeenSignaled() {
        Fence stub = machine.fences.stub();
        assertThat(stub.isSignaled()).isTrue();
        assertThat(stub.status()).isEqualTo(1);
        stub.put();
        assertThat(machine.fences.stub()).isSameAs(stub);
    }

    @Test
    @Rule("FE-15")
    void aDeadlineReachesTheIssuerUntilTheFenceHasSignaled() {
        CoreFence fence = machine.next();
        fence.setDeadline(5);
        fence.signal();
        fence.setDeadline(6);
        assertThat(machine.issuer.calls).containsExactly("deadline 5");
    }

    @Test
    @Rule("CK-36")
    void aFenceThatNobodyHoldsCannotBeHeldAgain() {
        CoreFence fence = machine.next();
        fence.put();
        assertThat(fence.getUnlessZero()).isNull();
        assertThatThrownBy(fence::get).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(fence::put).isInstanceOf(IllegalStateException.class);
        assertThat(machine.broken()).containsExactly("CK-36", "CK-36");
    }

    @Test
    void aCallbackMayWaitForAnotherFenceFromWithinItself() {
        CoreFence first = machine.next();
        CoreFence second = machine.next();
        int[] runs = {0};
        FenceCallback hopping =
                new FenceCallback() {
                    @Override
                    public void signaled(Fence fence) {
                        if (runs[0]++ == 0) {
                            second.addCallback(this);
                        }
                    }
                };
        first.addCallback(hopping);
        Counter after = new Counter();
        first.addCallback(after);
        first.signal();
        second.signal();
        assertThat(runs[0]).isEqualTo(2);
        assertThat(after.runs).isEqualTo(1);
    }
}
